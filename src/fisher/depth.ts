import { random } from "../engine/random.ts";

/** How a number of each layer goes with the layer's depth. */
export interface DepthCorrelation {
  /** Spearman's ρ in [−1, 1]: below zero, the number falls from the first layer to the last. */
  readonly rho: number;
  /** How often layers in random order are as far from zero: a two-sided permutation test. */
  readonly chance: number;
}

/** Random orders of the permutation test. */
const ORDERS = 10_000;
const SEED = 1;

/**
 * Spearman's ρ of values with their place in the list, ties at their mean rank; 0 where all are alike, which is no order.
 * @returns in [−1, 1]
 */
export function rankCorrelation(values: readonly number[]): number {
  const { places, ranks, norm } = ranked(values);
  return norm === 0 ? 0 : dot(places, ranks) / norm;
}

/**
 * Spearman's rank correlation of values with their place in the list, ties at their mean rank.
 * @param values of the layers, from the first to the last
 * @throws RangeError for fewer than three values.
 */
export function depthCorrelation(values: readonly number[]): DepthCorrelation {
  if (values.length < 3) throw new RangeError(`a rank correlation needs three values, got ${values.length}`);
  const { places, ranks, norm } = ranked(values);
  // All values alike: no order, so none that goes with depth.
  if (norm === 0) return { rho: 0, chance: 1 };
  const found = dot(places, ranks);
  const rng = random(SEED, "depth correlation");
  const shuffled = [...ranks];
  let asFar = 0;
  for (let i = 0; i < ORDERS; i++) {
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = Math.floor(rng.uniform() * (last + 1));
      [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
    }
    if (Math.abs(dot(places, shuffled)) >= Math.abs(found) - 1e-9) asFar++;
  }
  // The order that was found is one of the possible ones.
  return { rho: found / norm, chance: (asFar + 1) / (ORDERS + 1) };
}

/** Places and ranks about their means, and what their product is at most. */
function ranked(values: readonly number[]) {
  const places = centred(values.map((_, i) => i));
  const ranks = centred(meanRanks(values));
  return { places, ranks, norm: Math.sqrt(dot(places, places) * dot(ranks, ranks)) };
}

function meanRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const alike = values.filter((other) => other === value).length;
    return below + (alike - 1) / 2;
  });
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
