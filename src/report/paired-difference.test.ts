import { describe, expect, test } from "vitest";
import { cell } from "../../test/support/study-result.ts";
import type { CellResult } from "../study/result.ts";
import { changeOfDifference, pairedDifference } from "./paired-difference.ts";

/** A cell in which each person is found as often as is said. */
function found(seed: number, accuracies: readonly number[]): CellResult {
  const identities = accuracies.map((attackAccuracy, label) => ({
    ...cell({ seed }).identities[0]!,
    identity: `person ${label}`,
    label,
    attackAccuracy,
  }));
  return cell({ seed, identities });
}

describe("the difference of two targets, person by person", () => {
  test("is Student's t over people where there is one seed", () => {
    // Differences −0.4, −0.2, 0: mean −0.2, standard deviation 0.2, t of 2 degrees of freedom 4.303.
    const { value, low, high } = pairedDifference(
      [found(1, [0.8, 0.6, 0.2])],
      [found(1, [0.4, 0.4, 0.2])],
      "attackAccuracy",
    );
    expect(value).toBeCloseTo(-0.2, 12);
    expect([low, high]).toEqual([
      expect.closeTo(-0.2 - (4.303 * 0.2) / Math.sqrt(3), 10),
      expect.closeTo(-0.2 + (4.303 * 0.2) / Math.sqrt(3), 10),
    ]);
  });

  test("does not care how hard people are to find, nor in what order they come", () => {
    const first = found(1, [1, 0.8, 0.3]);
    const second = found(1, [0.7, 0.5, 0]);
    const turned = { ...second, identities: second.identities.toReversed() };
    const { low, high } = pairedDifference([first], [turned], "attackAccuracy");
    expect([low, high]).toEqual([expect.closeTo(-0.3, 12), expect.closeTo(-0.3, 12)]);
  });

  test("is as wide as the seeds' spread where that is wider", () => {
    const first = [found(1, [0.5, 0.5]), found(2, [0.5, 0.5])];
    const second = [found(2, [0.2, 0.2]), found(1, [0.4, 0.4])];
    // −0.1 and −0.3 over seeds, no spread over people: t of one degree of freedom 12.706 times 0.1.
    const { value, low, high } = pairedDifference(first, second, "attackAccuracy");
    expect(value).toBeCloseTo(-0.2, 12);
    expect(low).toBe(-1);
    expect(high).toBe(1);
    const close = pairedDifference(first, [found(1, [0.4, 0.4]), found(2, [0.41, 0.41])], "attackAccuracy");
    expect(close.high - close.value).toBeCloseTo(12.706 * 0.005, 4);
  });

  test("is of natural accuracy where that is asked for", () => {
    const person = cell({}).identities[0]!;
    const natural = (rates: readonly number[]) =>
      cell({ identities: rates.map((naturalAccuracy, i) => ({ ...person, identity: `${i}`, naturalAccuracy })) });
    expect(pairedDifference([natural([0.9, 1])], [natural([0.8, 0.9])], "naturalAccuracy").value).toBeCloseTo(-0.1, 12);
  });

  test("leaves out people whose rate is no number, or null as JSON has it, on either side", () => {
    const missing = [Number.NaN, null as unknown as number];
    for (const none of missing) {
      const [first, second] = [found(1, [0.5, 0.7, none, 0.9]), found(1, [0.4, 0.6, none, none])];
      const { value, low, high } = pairedDifference([first], [second], "attackAccuracy");
      for (const end of [value, low, high]) expect(end).toBeCloseTo(-0.1, 12);
      const alone = pairedDifference([found(1, [0.5, none])], [found(1, [0.4, 0.6])], "attackAccuracy");
      expect(alone).toEqual({ value: Number.NaN, low: Number.NaN, high: Number.NaN });
    }
  });

  test("goes by the people on both sides, and wants two of them and the same seeds", () => {
    const { value } = pairedDifference([found(1, [0.5, 0.7, 0.9])], [found(1, [0.4, 0.6])], "attackAccuracy");
    expect(value).toBeCloseTo(-0.1, 12);
    expect(() => pairedDifference([found(1, [0.5])], [found(1, [0.5])], "attackAccuracy")).toThrow(/1 people/);
    expect(() => pairedDifference([found(1, [0.5, 0.5])], [found(2, [0.5, 0.5])], "attackAccuracy")).toThrow(/seed 1/);
    expect(() => pairedDifference([], [], "attackAccuracy")).toThrow(/0 people/);
  });
});

describe("how much more one target changes than another, person by person", () => {
  const before = found(1, [0.9, 0.5]);

  test("is the difference of two differences, in which what people share goes out", () => {
    const first = { before: [before], after: [found(1, [0.7, 0.3])] };
    const second = { before: [found(1, [0.8, 0.6])], after: [found(1, [0.3, 0.1])] };
    const { value, low, high } = changeOfDifference(first, second, "attackAccuracy");
    for (const end of [value, low, high]) expect(end).toBeCloseTo(-0.3, 12);
  });

  test("may reach two, and wants the same seeds on all four sides", () => {
    const [none, all] = [[found(1, [0, 0])], [found(1, [1, 1])]];
    const falls = { before: all, after: none };
    expect(changeOfDifference(falls, { before: none, after: all }, "attackAccuracy").value).toBe(2);
    expect(() => changeOfDifference(falls, { before: all, after: [found(2, [1, 1])] }, "attackAccuracy")).toThrow(
      /seed 1|seed 2/,
    );
  });
});
