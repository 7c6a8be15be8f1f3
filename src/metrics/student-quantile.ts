import { mean } from "./mean.ts";

/** 97.5 % quantiles of Student's t for 1 … 10 degrees of freedom. */
const T_QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** The 97.5 % quantile of Student's t: tabulated up to 10 degrees of freedom, then the Cornish–Fisher expansion. */
export function studentQuantile(degrees: number): number {
  const z = 1.959964;
  const expansion = z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
  return T_QUANTILES[degrees - 1] ?? expansion;
}

/** Half of Student's 95 % interval of a mean; nothing where there is one value, which tells of no spread. */
export function studentHalfWidth(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  return studentQuantile(values.length - 1) * Math.sqrt(variance / values.length);
}
