import { meanOverPeople } from "../metrics/mean-over-people.ts";
import type { CellResult } from "../study/result.ts";
import type { Difference } from "./difference.ts";
import { type PersonRate, peopleInCommon } from "./people-in-common.ts";

/**
 * Second − first in a rate that both have for the same people, as a mean over people and seeds. The interval is the wider of Student's t
 * over people, each with the mean of their seeds, and over seeds. Single images do not count as trials: those of one person share how hard
 * that person is to recognise, and reconstructions of some attacks (KEDMI, RLB-MI) the search itself.
 * @param first one cell a seed, all of one attack on one target
 * @param second the same seeds
 * @param rate which of a person's rates; people without it in a cell of either side are left out
 * @returns NaN, and ends that are NaN, where fewer than two people have the rate in every cell
 * @throws RangeError where the two have not the same seeds, or fewer than two people in common.
 */
export function pairedDifference(
  first: readonly CellResult[],
  second: readonly CellResult[],
  rate: PersonRate,
): Difference {
  return meanOfSums([second], [first], rate);
}

/** Cells of one target, a seed each, and of another that is held against it. */
export interface Change {
  readonly before: readonly CellResult[];
  readonly after: readonly CellResult[];
}

/**
 * How much more the second changes than the first: (after − before) − (after − before), person by person, as `pairedDifference` takes one.
 * @throws RangeError where the four have not the same seeds, or fewer than two people in common.
 */
export function changeOfDifference(first: Change, second: Change, rate: PersonRate): Difference {
  return meanOfSums([second.after, first.before], [second.before, first.after], rate);
}

/** The mean over people and seeds of what they have in all of `added` less what they have in all of `taken`. */
function meanOfSums(
  added: readonly (readonly CellResult[])[],
  taken: readonly (readonly CellResult[])[],
  rate: PersonRate,
): Difference {
  const sides = [...added, ...taken];
  const seeds = taken[0]!.map(({ seed }) => seed);
  const bySeed = seeds.map((seed) =>
    sides.map((side) => {
      const found = side.find((cell) => cell.seed === seed);
      if (found === undefined || side.length !== seeds.length)
        throw new RangeError(`the difference of targets: seed ${seed} is not on every side, each once`);
      return found;
    }),
  );
  const everybody = peopleInCommon(bySeed.flat(), []);
  if (everybody.length < 2) throw new RangeError(`the difference of targets: ${everybody.length} people in common`);
  const people = peopleInCommon(bySeed.flat(), [rate]);
  if (people.length < 2) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  const sums = bySeed.map((cells) => {
    const rates = cells.map(({ identities }) => new Map(identities.map((person) => [person.identity, person[rate]])));
    const sum = (some: typeof rates, person: string) => some.reduce((total, of) => total + of.get(person)!, 0);
    const [plus, minus] = [rates.slice(0, added.length), rates.slice(added.length)];
    return people.map((person) => sum(plus, person) - sum(minus, person));
  });
  const { value, half } = meanOverPeople(sums);
  const limit = added.length;
  return { value, low: Math.max(-limit, value - half), high: Math.min(limit, value + half) };
}
