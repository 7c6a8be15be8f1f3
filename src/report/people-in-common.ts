import type { CellResult } from "../study/result.ts";

/** A rate that a result has for each person. */
export type PersonRate = "attackAccuracy" | "naturalAccuracy";

/**
 * The people that all cells have, by their names in the first cell's order, each with all of these rates: a person of whom there are no test
 * images has no natural accuracy, which is NaN, and null in JSON.
 */
export function peopleInCommon(cells: readonly CellResult[], rates: readonly PersonRate[]): readonly string[] {
  const [first = new Set<string>(), ...others] = cells.map(
    ({ identities }) =>
      new Set(
        identities
          .filter((person) => rates.every((rate) => Number.isFinite(person[rate])))
          .map(({ identity }) => identity),
      ),
  );
  return [...first].filter((person) => others.every((people) => people.has(person)));
}
