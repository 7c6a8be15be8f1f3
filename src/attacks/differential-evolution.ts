import type { Rng } from "../engine/random.ts";

/** Rows [n, width] that evolve, the best first or not. */
export interface Population {
  readonly rows: Float32Array;
  readonly width: number;
}

const rowOf = ({ rows, width }: Population, i: number) => rows.subarray(i * width, (i + 1) * width);

/** What a child is made of. */
export interface Breeding {
  /** How far a child starts from its parent towards the best, as a share. */
  readonly pull: number;
  /** β, weight of each difference of two random rows. */
  readonly difference: number;
  /** Differences that are added. */
  readonly pairs: number;
  /** Probability that a number is the child's rather than its parent's. */
  readonly crossover: number;
}

/**
 * One child of each row: x + pull·(best − x) + β·Σ (x_a − x_b) over random pairs, of which each number is taken with the crossover's
 * probability and is the parent's otherwise. [n, width]
 * @param best the number of the best row
 */
export function children(parents: Population, best: number, breeding: Breeding, rng: Rng): Float32Array {
  const { rows, width } = parents;
  const { pull, difference, pairs, crossover } = breeding;
  const count = rows.length / width;
  const leader = rowOf(parents, best);
  const out = Float32Array.from(rows);
  for (let i = 0; i < count; i++) {
    const drawn = Array.from({ length: pairs }, () => [rowOf(parents, rng.int(count)), rowOf(parents, rng.int(count))]);
    for (let j = 0; j < width; j++) {
      if (rng.uniform() >= crossover) continue;
      const x = rows[i * width + j]!;
      const spread = drawn.reduce((sum, [a, b]) => sum + a![j]! - b![j]!, 0);
      out[i * width + j] = x + pull * (leader[j]! - x) + difference * spread;
    }
  }
  return out;
}

/**
 * The population with as many more rows as `others` [m, width] has: each is a mix of three different ones of the population,
 * ½(½(a + b) + c), of which `share` is taken, and of one of the others, which is the rest.
 */
export function extended(population: Population, others: Float32Array, share: number, rng: Rng): Float32Array {
  const { rows, width } = population;
  const count = rows.length / width;
  const out = new Float32Array(rows.length + others.length);
  out.set(rows);
  for (let at = 0; at < others.length; at += width) {
    const [a, b, c] = Array.from(rng.permutation(count).subarray(0, 3), (i) => rowOf(population, i));
    for (let j = 0; j < width; j++) {
      const mixed = 0.5 * (0.5 * (a![j]! + b![j]!) + c![j]!);
      out[rows.length + at + j] = share * mixed + (1 - share) * others[at + j]!;
    }
  }
  return out;
}
