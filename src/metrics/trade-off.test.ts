import { expect, test } from "vitest";
import { rate } from "../../test/support/study-result.ts";
import { random } from "../engine/random.ts";
import { areaBetween, type Operating, tradeOffRatio } from "./trade-off.ts";

const point = (natural: number, attack: number, half = 0): Operating => ({
  naturalAccuracy: rate(natural, half),
  attackAccuracy: rate(attack, half),
});

test("Δ is RoLSS's number for ResNet-34 with TTS", () => {
  expect(tradeOffRatio(point(0.9469, 0.9078), point(0.944, 0.8165))?.value).toBeCloseTo(31.48, 2);
});

test("where utility does not fall there is no Δ; a defense that leaks more has a negative one", () => {
  expect(tradeOffRatio(point(0.9, 0.8), point(0.9, 0.5))).toBeUndefined();
  expect(tradeOffRatio(point(0.9, 0.8), point(0.95, 0.5))).toBeUndefined();
  expect(tradeOffRatio(point(0.9, 0.8), point(0.8, 0.85))?.value).toBeCloseTo(-0.5, 12);
});

test("Δ's interval holds the truth in 95 of 100 measurements, and there is none where the fall may be zero", () => {
  const rng = random(3, "fieller");
  const [sigma, truth] = [0.01, 0.3 / 0.1];
  const z = 1.959964;
  let held = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const noisy = (value: number) => rate(value + sigma * rng.normal(), z * sigma);
    const measured = (natural: number, attack: number) => ({
      naturalAccuracy: noisy(natural),
      attackAccuracy: noisy(attack),
    });
    const [low, high] = tradeOffRatio(measured(0.8, 0.7), measured(0.7, 0.4))!.interval!;
    if (low <= truth && truth <= high) held++;
  }
  expect(held / 2000).toBeGreaterThan(0.935);
  expect(held / 2000).toBeLessThan(0.965);
  expect(tradeOffRatio(point(0.8, 0.7, 0.05), point(0.75, 0.4, 0.05))).toMatchObject({ interval: undefined });
  expect(tradeOffRatio(point(0.8, 0.7), point(0.7, 0.4))?.interval?.[0]).toBeCloseTo(3, 9);
});

test("the area between two curves is taken where both have points, by straight lines", () => {
  // From 0.8 to 1 the first is 0.5, the second falls from 0.6 to 0.2 at 0.9 and rises to 1.
  const first = [point(0.7, 0.5), point(1, 0.5)];
  const second = [point(0.9, 0.2), point(0.8, 0.6), point(1, 1)];
  const { difference, from, to } = areaBetween(first, second, 1)!;
  expect([from, to]).toEqual([0.8, 1]);
  expect(difference.value).toBeCloseTo((0.5 - 0.4 + (0.5 - 0.6)) / 2, 12);
  // Without spread the interval is the value.
  expect(difference.low).toBeCloseTo(difference.value, 12);
  expect(difference.high).toBeCloseTo(difference.value, 12);
});

test("it is zero for a curve and itself, and changes sign with the curves", () => {
  const none = point(0.95, 0.9, 0.02);
  const [a, b] = [
    [none, point(0.9, 0.5, 0.02), point(0.8, 0.3, 0.02)],
    [none, point(0.85, 0.7, 0.02)],
  ];
  expect(areaBetween(a, a, 1)!.difference).toMatchObject({ value: 0, low: 0, high: 0 });
  const [there, back] = [areaBetween(a, b, 1)!.difference, areaBetween(b, a, 1)!.difference];
  expect(there.value).toBeCloseTo(-back.value, 12);
  expect(there.value).toBeLessThan(0);
  expect(there.low).toBeLessThan(there.value);
  expect(there.high).toBeGreaterThan(there.value);
});

test("settings of the same natural accuracy are averaged; curves that share no range are not compared", () => {
  const flat = [point(0.8, 0.2), point(0.8, 0.4), point(1, 0.3)];
  expect(areaBetween(flat, [point(0.8, 0), point(1, 0)], 1)!.difference.value).toBeCloseTo(0.3, 12);
  expect(areaBetween([point(0.5, 0.1), point(0.6, 0.1)], [point(0.7, 0.1), point(0.8, 0.1)], 1)).toBeUndefined();
  expect(areaBetween([point(0.5, 0.1)], [point(0.5, 0.2)], 1)).toBeUndefined();
  expect(areaBetween([], [point(0.5, 0.2)], 1)).toBeUndefined();
});
