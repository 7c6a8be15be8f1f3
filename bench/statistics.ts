/** The middle of repeated measurements, and the band that holds the middle 80 % of them. */
export interface Spread {
  readonly median: number;
  /** The 10 % and the 90 % quantile. */
  readonly low: number;
  readonly high: number;
}

/** The q-quantile, linear between neighbours (NumPy's default). @throws RangeError for no values. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError("no values to take a quantile of");
  const sorted = [...values].sort((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), low: quantile(values, 0.1), high: quantile(values, 0.9) };
}
