import { meanOverPeople } from "../metrics/mean-over-people.ts";
import type { Measured } from "../metrics/measured.ts";
import type { IdentityResult } from "./result.ts";

/** What attack accuracy has to rise above. */
const FLOORS = ["randomPrior", "initialSelection"] as const;
type Floor = (typeof FLOORS)[number];

/** Results of one attack on one target, or its seeds put together. */
export interface Floored {
  readonly attackAccuracy: Measured;
  readonly floors: Readonly<Record<Floor, Measured>>;
  /** The people of a single seed. */
  readonly identities?: readonly IdentityResult[];
  /** The seeds, where several are put together. */
  readonly cells?: readonly { readonly identities: readonly IdentityResult[] }[];
}

/**
 * Whether an attack's accuracy is shown to lie above both of its floors: only then did optimisation find anything. Floors are of the same
 * people, so it is decided by the mean difference person by person, with the wider of Student's t over people and over seeds: how easily
 * someone is found, by whatever means, is theirs. Where floors were not kept of each person, or there is but one, by the intervals of the
 * rates, which must not touch.
 */
export function beatsFloors(given: Floored): boolean {
  const cells = given.cells ?? [{ identities: given.identities ?? [] }];
  return FLOORS.every((floor) => {
    const gap = lowestGap(cells, floor);
    return gap === undefined ? given.attackAccuracy.low > given.floors[floor].high : gap > 0;
  });
}

/** The lower end of the interval of attack accuracy minus a floor; undefined without two people who have both in every cell. */
function lowestGap(cells: NonNullable<Floored["cells"]>, floor: Floor): number | undefined {
  const gaps = cells.map(
    ({ identities }) =>
      new Map(
        identities.flatMap(({ identity, attackAccuracy, floors }) =>
          floors === undefined ? [] : [[identity, attackAccuracy - floors[floor]] as const],
        ),
      ),
  );
  const people = [...(gaps[0]?.keys() ?? [])].filter((person) => gaps.every((seed) => seed.has(person)));
  if (people.length < 2) return undefined;
  const { value, half } = meanOverPeople(gaps.map((seed) => people.map((person) => seed.get(person)!)));
  return value - half;
}
