import { random } from "../engine/random.ts";
import type { Measured } from "./measured.ts";
import { studentQuantile } from "./student-quantile.ts";

/** The 97.5 % point of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * A rate with Wilson's 95 % score interval (Wilson 1927; Newcombe 1998, method 3, without continuity correction).
 * @throws RangeError unless `n` is a whole number of at least 1 and `successes` a whole number in [0, n].
 */
export function wilson(successes: number, n: number): Measured {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`wilson: expected at least one trial, got ${n}`);
  if (!Number.isInteger(successes) || successes < 0 || successes > n) {
    throw new RangeError(`wilson: expected successes in 0 … ${n}, got ${successes}`);
  }
  const rate = successes / n;
  const shrink = 1 + Z ** 2 / n;
  const centre = (rate + Z ** 2 / (2 * n)) / shrink;
  const half = (Z / shrink) * Math.sqrt((rate * (1 - rate)) / n + (Z / (2 * n)) ** 2);
  // At the ends the formula gives exactly 0 and 1; rounding would miss them by an ulp.
  const low = successes === 0 ? 0 : centre - half;
  const high = successes === n ? 1 : centre + half;
  return { value: rate, n, low, high };
}

/** The value below which the given share of sorted values lies, linear between neighbours (Hyndman & Fan 1996, definition 7). */
export function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}

/**
 * The mean over all values, with a 95 % percentile interval from resampling whole identities with replacement: images of one
 * identity resemble each other, so an interval over single images would be too narrow. Identities without values are left out.
 * With one identity the interval is a point, as nothing tells how identities differ.
 *
 * @param perIdentity each identity's values
 * @param resamples at least 1; 2,000 by default
 * @returns `n` is the number of values, not of identities.
 * @throws RangeError without any value, or for one that is not finite.
 */
export function bootstrapByIdentity(
  perIdentity: readonly (readonly number[])[],
  seed: number,
  resamples = 2000,
): Measured {
  if (!Number.isInteger(resamples) || resamples < 1) {
    throw new RangeError(`bootstrapByIdentity: expected at least one resample, got ${resamples}`);
  }
  const totals = perIdentity.map((values, identity) => {
    const wrong = values.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) throw new RangeError(`bootstrapByIdentity: identity ${identity} has the value ${wrong}`);
    return { sum: values.reduce((sum, value) => sum + value, 0), count: values.length };
  });
  const measured = totals.filter(({ count }) => count > 0);
  if (measured.length === 0) {
    throw new RangeError(`bootstrapByIdentity: no value in ${perIdentity.length} identities`);
  }
  const rng = random(seed, "metrics", "bootstrap");
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    let count = 0;
    for (let draw = 0; draw < measured.length; draw++) {
      const drawn = measured[rng.int(measured.length)]!;
      sum += drawn.sum;
      count += drawn.count;
    }
    return sum / count;
  }).sort();
  const n = measured.reduce((total, { count }) => total + count, 0);
  const value = measured.reduce((total, { sum }) => total + sum, 0) / n;
  return { value, n, low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

/** Groups of identities that the jackknife leaves out in turn, at most. */
const JACKKNIFE_GROUPS = 10;

/**
 * A statistic of all identities together, such as a distance between distributions, with a 95 % interval from leaving out groups of
 * identities in turn (delete-a-group jackknife; Kott 2001): value ± t · √((G − 1)/G · Σ (v_g − v̄)²) with Student's t of G − 1 degrees of
 * freedom. Resampling with replacement would not do: repeated images make distributions look narrower than they are. With fewer than two
 * groups, or where no group can be left out, the interval is a point.
 *
 * @param identities labels of the identities that count
 * @param estimate the statistic without the given identities; undefined where too little is left
 * @throws RangeError where the statistic of all identities cannot be had, or is not finite.
 */
export function jackknifeByIdentity(
  identities: readonly number[],
  estimate: (left: ReadonlySet<number>) => number | undefined,
): { value: number; low: number; high: number } {
  const value = estimate(new Set());
  if (value === undefined || !Number.isFinite(value))
    throw new RangeError(`jackknifeByIdentity: the value is ${value}`);
  const sorted = identities.toSorted((a, b) => a - b);
  const groups = Math.min(JACKKNIFE_GROUPS, sorted.length);
  const without = Array.from({ length: groups }, (_, g) =>
    estimate(new Set(sorted.filter((_, i) => i % groups === g))),
  );
  const found = without.filter((v) => v !== undefined);
  if (groups < 2 || found.length < groups) return { value, low: value, high: value };
  const mean = found.reduce((sum, v) => sum + v, 0) / groups;
  const spread = found.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const half = studentQuantile(groups - 1) * Math.sqrt(((groups - 1) / groups) * spread);
  return { value, low: value - half, high: value + half };
}
