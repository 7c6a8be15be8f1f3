import { studentHalfWidth } from "../metrics/student-quantile.ts";
import type { CellResult } from "../study/result.ts";
import type { Difference } from "./difference.ts";

/** A rate that a result has for each person. */
export type PersonRate = "attackAccuracy" | "naturalAccuracy";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Second − first in a rate that both have for the same people, as a mean over people and seeds. The interval is the wider of Student's t
 * over people, each with the mean of their seeds, and over seeds. Single images do not count as trials: those of one person share how hard
 * that person is to recognise, and reconstructions of some attacks (KEDMI, RLB-MI) the search itself.
 * @param first one cell a seed, all of one attack on one target
 * @param second the same seeds
 * @param rate which of a person's rates
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
    const found = new Map(other.identities.map((person) => [person.identity, person[rate]]));
    return new Map(
      cell.identities.flatMap((person) => {
        const theirs = found.get(person.identity);
        return theirs === undefined ? [] : [[person.identity, theirs - person[rate]] as const];
      }),
    );
  });
  const people = [...(pairs[0]?.keys() ?? [])].filter((identity) => pairs.every((seed) => seed.has(identity)));
  if (people.length < 2) throw new RangeError(`pairedDifference: ${people.length} people in common`);
  const ofPeople = people.map((identity) => mean(pairs.map((seed) => seed.get(identity)!)));
  const ofSeeds = pairs.map((seed) => mean(people.map((identity) => seed.get(identity)!)));
  const value = mean(ofPeople);
  const half = Math.max(studentHalfWidth(ofPeople), studentHalfWidth(ofSeeds));
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half) };
}
