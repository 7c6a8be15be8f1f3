import { expect, test } from "vitest";
import { wilson } from "../metrics/interval.ts";
import { apart, differenceOf } from "./difference.ts";

test("the difference of two shares has Newcombe's interval", () => {
  // Newcombe, Statistics in Medicine 1998, table II, example (a): 56/70 − 48/80 by method 10 is 0.2000 [0.0524, 0.3339].
  const { value, low, high } = differenceOf(wilson(48, 80), wilson(56, 70));
  expect(value).toBeCloseTo(0.2, 10);
  expect(low).toBeCloseTo(0.0524, 4);
  expect(high).toBeCloseTo(0.3339, 4);
});

test("the other way round it is the same with the other sign", () => {
  const [a, b] = [wilson(3, 10), wilson(9, 40)];
  const [there, back] = [differenceOf(a, b), differenceOf(b, a)];
  expect([back.value, back.low, back.high]).toEqual([-there.value, -there.high, -there.low]);
});

test("intervals that touch are not apart", () => {
  const span = (low: number, high: number) => ({ value: (low + high) / 2, n: 1, low, high });
  expect(apart(span(0, 0.5), span(0.5, 1))).toBe(false);
  expect(apart(span(0, 0.5), span(0.51, 1))).toBe(true);
  expect(apart(span(0.51, 1), span(0, 0.5))).toBe(true);
  expect(apart(span(3, 3), span(3, 3))).toBe(false);
});
