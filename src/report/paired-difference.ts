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
  const pairs = first.map((cell) => {
    const other = second.find(({ seed }) => seed === cell.seed);
    if (other === undefined || second.length !== first.length)
      throw new RangeError(`pairedDifference: seed ${cell.seed} is not on both sides, each once`);
    return [cell, other] as const;
  });
  const everybody = peopleInCommon(pairs.flat(), []);
  if (everybody.length < 2) throw new RangeError(`pairedDifference: ${everybody.length} people in common`);
  const people = peopleInCommon(pairs.flat(), [rate]);
  if (people.length < 2) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  const differences = pairs.map((pair) => {
    const [own, theirs] = pair.map(
      ({ identities }) => new Map(identities.map((person) => [person.identity, person[rate]])),
    );
    return people.map((person) => theirs!.get(person)! - own!.get(person)!);
  });
  const { value, half } = meanOverPeople(differences);
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half) };
}
