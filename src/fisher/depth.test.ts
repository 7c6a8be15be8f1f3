import { expect, test } from "vitest";
import { depthCorrelation } from "./depth.ts";

// Ho et al. (2024), figure 1: VGG16's thirteen convolutions. ρ below are from NumPy: corrcoef of mean ranks.
const CLASSIFICATION = [0.28, 0.18, 0.13, 0.27, 0.14, 0.34, 0.68, 0.3, 1.02, 1.1, 0.29, 0.29, 0.1];
const INVERSION = [20.6, 3.5, 10.7, 3.2, 4.7, 3.6, 2.9, 3.3, 3.9, 2.0, 3.3, 3.3, 0.3];

test("is Spearman's, with ties at their mean rank", () => {
  expect(depthCorrelation(INVERSION).rho).toBeCloseTo(-0.646419, 6);
  expect(depthCorrelation(CLASSIFICATION).rho).toBeCloseTo(0.277854, 6);
});

test("says how often chance does as well: 2 of the 24 orders of four values are as far from zero as a full order", () => {
  const { rho, chance } = depthCorrelation([1, 2, 3, 4]);
  expect(rho).toBe(1);
  expect(chance).toBeCloseTo(2 / 24, 1);
  expect(depthCorrelation(INVERSION).chance).toBeLessThan(0.05);
  expect(depthCorrelation(CLASSIFICATION).chance).toBeGreaterThan(0.05);
});

test("values that are all alike have no order", () => {
  expect(depthCorrelation([2, 2, 2])).toEqual({ rho: 0, chance: 1 });
  expect(() => depthCorrelation([1, 2])).toThrow(RangeError);
});
