import { expect, test } from "vitest";
import { count, duration, fixed, percent, percentWithInterval, significant } from "./numbers.ts";

/** Spaces that keep a number and its unit together read as plain ones here. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

test("shares are written in percent with their interval", () => {
  expect(plain(percent(0.7149))).toBe("71 %");
  expect(plain(percent(0.7149, 1))).toBe("71.5 %");
  expect(plain(percentWithInterval({ value: 0.71, n: 250, low: 0.651, high: 0.762 }))).toBe("71 % [65, 76]");
});

test("a negative number has a real minus sign, and zero has none", () => {
  expect(fixed(-1.26, 1)).toBe("−1.3");
  expect(fixed(-0.01, 1)).toBe("0.0");
});

test("what is not a number is a dash", () => {
  expect(percent(Number.NaN)).toBe("–");
  expect(significant(Number.POSITIVE_INFINITY)).toBe("–");
  expect(count(Number.NaN)).toBe("–");
  expect(duration(Number.NaN)).toBe("–");
});

test("large counts are grouped by three", () => {
  expect([0, 999, 1000, 11_181_642].map(count).map(plain)).toEqual(["0", "999", "1 000", "11 181 642"]);
});

test("other quantities have three significant digits", () => {
  expect([812.345, 12.3456, 0.012345, 0, 1234.5].map(significant)).toEqual(["812", "12.3", "0.0123", "0", "1235"]);
  expect(significant(1.5e-7)).toBe("1.50e-7");
});

test("durations are rounded to what a person reads", () => {
  expect([0.44, 9.97, 59.6, 185, 3599.7, 3725].map(duration).map(plain)).toEqual([
    "0.4 s",
    "10 s",
    "1 min 00 s",
    "3 min 05 s",
    "1 h 00 min",
    "1 h 02 min",
  ]);
});
