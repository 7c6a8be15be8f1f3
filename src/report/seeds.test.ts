import { expect, test } from "vitest";
import { rate } from "../../test/support/study-result.ts";
import { studentQuantile } from "../metrics/student-quantile.ts";
import { meanOverSeeds } from "./seeds.ts";

test("one seed keeps its own interval", () => {
  expect(meanOverSeeds([rate(0.4, 0.05, 250)], [0, 1])).toEqual(rate(0.4, 0.05, 250));
});

test("seeds that agree do not narrow the interval that the images leave", () => {
  const mean = meanOverSeeds([rate(0.4), rate(0.4), rate(0.4)], [0, 1]);
  expect(mean.value).toBeCloseTo(0.4, 12);
  expect(mean.low).toBeCloseTo(0.35, 12);
  expect(mean.high).toBeCloseTo(0.45, 12);
  expect(mean.n).toBe(750);
});

test("seeds that differ widen it to Student's t, within what a rate can be", () => {
  // Values 0.3, 0.4, 0.5: standard deviation 0.1, t(2) = 4.303, half width 4.303 · 0.1 / √3.
  const mean = meanOverSeeds(
    [0.3, 0.4, 0.5].map((value) => rate(value, 0.01)),
    [0, 1],
  );
  expect(mean.low).toBeCloseTo(0.4 - 0.248434, 5);
  expect(mean.high).toBeCloseTo(0.4 + 0.248434, 5);
  const wide = meanOverSeeds([rate(0.05, 0.01), rate(0.95, 0.01)], [0, 1]);
  expect([wide.low, wide.high]).toEqual([0, 1]);
});

test("quantiles beyond the table follow the published ones", () => {
  const published: [number, number][] = [
    [11, 2.201],
    [15, 2.131],
    [30, 2.042],
    [120, 1.98],
  ];
  for (const [degrees, quantile] of published) expect(studentQuantile(degrees)).toBeCloseTo(quantile, 2);
});
