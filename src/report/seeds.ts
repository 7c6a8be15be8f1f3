import type { Measured } from "../study/result.ts";

/** 97.5 % quantiles of Student's t for 1 … 10 degrees of freedom. */
const T_QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** The 97.5 % quantile of Student's t: tabulated up to 10 degrees of freedom, then the Cornish–Fisher expansion. */
export function studentQuantile(degrees: number): number {
  const z = 1.959964;
  const expansion = z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
  return T_QUANTILES[degrees - 1] ?? expansion;
}

/**
 * The mean over seeds. With one seed it is that seed's own number. With more, the interval is, on each side, the wider of
 * Student's t over the seeds' values and the mean of the seeds' own bounds: all seeds are measured on the same images, so
 * more seeds do not narrow what the images leave open. `n` is the total over seeds.
 *
 * @param limits the range that the quantity can have at all, such as [0, 1] for a rate.
 */
export function meanOverSeeds(values: readonly Measured[], limits: readonly [number, number]): Measured {
  const only = values[0];
  if (only === undefined) return { value: Number.NaN, n: 0, low: Number.NaN, high: Number.NaN };
  if (values.length === 1) return only;
  const mean = (read: (measured: Measured) => number) =>
    values.reduce((sum, measured) => sum + read(measured), 0) / values.length;
  const value = mean((measured) => measured.value);
  const variance = (mean((measured) => (measured.value - value) ** 2) * values.length) / (values.length - 1);
  const half = studentQuantile(values.length - 1) * Math.sqrt(variance / values.length);
  return {
    value,
    n: values.reduce((sum, measured) => sum + measured.n, 0),
    low: Math.max(
      limits[0],
      Math.min(
        value - half,
        mean((measured) => measured.low),
      ),
    ),
    high: Math.min(
      limits[1],
      Math.max(
        value + half,
        mean((measured) => measured.high),
      ),
    ),
  };
}
