import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bootstrapByIdentity, wilson } from "./interval.ts";

describe("Wilson's interval", () => {
  // Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %i in %i is the one that Newcombe published", (successes, n, low, high) => {
    const measured = wilson(successes, n);
    expect(measured.value).toBe(successes / n);
    expect(measured.n).toBe(n);
    expect(measured.low).toBeCloseTo(low, 4);
    expect(measured.high).toBeCloseTo(high, 4);
  });

  test("of ten in ten ends at 1 and begins at 10 / (10 + z²)", () => {
    const { low, high } = wilson(10, 10);
    expect(high).toBe(1);
    expect(low).toBeCloseTo(10 / (10 + 3.841458820694124), 12);
    expect(low).toBeCloseTo(0.7225, 4);
  });

  test("holds the rate, lies in [0, 1], and mirrors when successes and failures swap", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const successes = Math.round(share * n);
        const { value, low, high } = wilson(successes, n);
        const mirrored = wilson(n - successes, n);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(value);
        expect(value).toBeLessThanOrEqual(high);
        expect(high).toBeLessThanOrEqual(1);
        expect(mirrored.low).toBeCloseTo(1 - high, 12);
      }),
    );
  });

  test.each([
    [0, 0, "wilson: expected at least one trial, got 0"],
    [1, Number.NaN, "wilson: expected at least one trial, got NaN"],
    [4, 3, "wilson: expected successes in 0 … 3, got 4"],
    [-1, 3, "wilson: expected successes in 0 … 3, got -1"],
    [0.5, 3, "wilson: expected successes in 0 … 3, got 0.5"],
  ])("refuses %d of %d", (successes, n, message) => {
    expect(() => wilson(successes, n)).toThrow(new RangeError(message));
  });
});

describe("bootstrap by identity", () => {
  test("averages all values, and of two identities the interval spans both", () => {
    // A resample is {a, a}, {a, b}, {b, a} or {b, b}: either extreme has probability 1/4, well above 2.5 %.
    expect(bootstrapByIdentity([[1, 1, 1], [0]], 1)).toEqual({ value: 0.75, n: 4, low: 0, high: 1 });
  });

  test("agrees with the enumeration of all 7⁷ resamples of Efron and Tibshirani's mouse data", () => {
    const mice = [94, 197, 16, 38, 99, 141, 23];
    const all = Float64Array.from({ length: 7 ** 7 }, (_, code) => {
      let sum = 0;
      for (let draw = 0, rest = code; draw < 7; draw++, rest = Math.floor(rest / 7)) sum += mice[rest % 7]!;
      return sum / 7;
    }).sort();
    const measured = bootstrapByIdentity(
      mice.map((days) => [days]),
      7,
      20_000,
    );
    expect(measured.value).toBeCloseTo(86.857, 3);
    expect(Math.abs(measured.low - all[Math.floor(0.025 * all.length)]!)).toBeLessThan(1.5);
    expect(Math.abs(measured.high - all[Math.floor(0.975 * all.length)]!)).toBeLessThan(1.5);
  });

  test("does not grow surer by images that say the same again", () => {
    const once = bootstrapByIdentity([[0], [1], [1], [0.5]], 3);
    const often = bootstrapByIdentity([Array(8).fill(0), Array(8).fill(1), Array(8).fill(1), Array(8).fill(0.5)], 3);
    expect(often).toEqual({ ...once, n: 32 });
  });

  test("is a point where identities agree or there is only one", () => {
    expect(bootstrapByIdentity([[2, 2], [2], [2]], 1)).toEqual({ value: 2, n: 4, low: 2, high: 2 });
    expect(bootstrapByIdentity([[1, 3]], 1)).toEqual({ value: 2, n: 2, low: 2, high: 2 });
  });

  test("leaves out identities without values", () => {
    expect(bootstrapByIdentity([[], [0], [], [1]], 5)).toEqual(bootstrapByIdentity([[0], [1]], 5));
  });

  test("gives the same interval for the same seed, another one for another seed", () => {
    const values = Array.from({ length: 30 }, (_, i) => [Math.sin(i) * 10]);
    expect(bootstrapByIdentity(values, 1)).toEqual(bootstrapByIdentity(values, 1));
    expect(bootstrapByIdentity(values, 1).low).not.toBe(bootstrapByIdentity(values, 2).low);
  });

  test("refuses to measure nothing, and values that are not finite", () => {
    expect(() => bootstrapByIdentity([[], []], 1)).toThrow("no value in 2 identities");
    expect(() => bootstrapByIdentity([[1], [2, Number.NaN]], 1)).toThrow("identity 1 has the value NaN");
    expect(() => bootstrapByIdentity([[1]], 1, 0)).toThrow("expected at least one resample, got 0");
  });
});
