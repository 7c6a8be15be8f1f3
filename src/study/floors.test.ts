import { expect, test } from "vitest";
import { rate } from "../../test/support/study-result.ts";
import { beatsFloors, type Floored } from "./floors.ts";
import type { IdentityResult } from "./result.ts";

/** People with these attack accuracies and these best starts; random samples find nobody. */
const people = (attack: readonly number[], start: readonly number[]): readonly IdentityResult[] =>
  attack.map((attackAccuracy, label) => ({
    ...{
      identity: `person ${label}`,
      label,
      naturalAccuracy: 1,
      attackAccuracy,
      attackAccuracyTop5: 1,
      knnDistance: 1,
    },
    floors: { randomPrior: 0, initialSelection: start[label]! },
  }));

const given = (more: Partial<Floored>): Floored => ({
  attackAccuracy: rate(0.6, 0.1),
  floors: { randomPrior: rate(0, 0.01), initialSelection: rate(0.4, 0.05) },
  ...more,
});

test("intervals of rates decide where floors were not kept of each person", () => {
  expect(beatsFloors(given({}))).toBe(true);
  expect(beatsFloors(given({ floors: { randomPrior: rate(0, 0.01), initialSelection: rate(0.4, 0.11) } }))).toBe(false);
  const without = people([1, 1, 1], [0, 0, 0]).map(({ floors: _, ...person }) => person);
  expect(beatsFloors(given({ attackAccuracy: rate(0.42, 0.1), identities: without }))).toBe(false);
});

test("the same gain for everyone is shown, though rates overlap; one of a single person is not, though they do not", () => {
  const touching = given({ attackAccuracy: rate(0.5, 0.1) });
  const start = [0.1, 0.9, 0.3, 0.7, 0.2, 0.4];
  expect(
    beatsFloors({
      ...touching,
      identities: people(
        start.map((s, i) => s + 0.08 + 0.01 * i),
        start,
      ),
    }),
  ).toBe(true);
  expect(beatsFloors(given({ identities: people([0.1, 0.9, 0.3, 0.7, 0.2, 1], [0.1, 0.9, 0.3, 0.7, 0.2, 0]) }))).toBe(
    false,
  );
});

test("seeds that disagree leave it open", () => {
  const start = [0.2, 0.3, 0.2, 0.3];
  const seed = (gain: number) => ({
    identities: people(
      start.map((s) => s + gain),
      start,
    ),
  });
  expect(beatsFloors(given({ cells: [seed(0.3), seed(0.31), seed(0.29)] }))).toBe(true);
  expect(beatsFloors(given({ cells: [seed(0.5), seed(0.0), seed(0.1)] }))).toBe(false);
});
