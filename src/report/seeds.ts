import { studentHalfWidth } from "../metrics/student-quantile.ts";
import type { Measured } from "../study/result.ts";

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
  const half = studentHalfWidth(values.map((measured) => measured.value));
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
