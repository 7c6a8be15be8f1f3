import { z } from "zod";
import { constant, type Value } from "../engine/graph.ts";
import { leakyRelu } from "../engine/ops/activation.ts";
import { maximum, minimum } from "../engine/ops/elementwise.ts";
import { type FloatTensor, tensor } from "../engine/tensor.ts";

// P-space (Zhu et al. 2020; MIRROR, An et al., NDSS 2022, section IV-B): styles before the mapping network's last leaky ReLU, where random
// ones are nearly normal. Its gain is left out: it scales all numbers alike.

/** How far an attack's styles may lie from random ones. */
export const pSpaceSettings = {
  deviations: z
    .number()
    .positive()
    .default(1)
    .describe("styles are held to so many standard deviations around the mean of random ones, in P-space"),
  samples: z.int().min(2).default(10_000).describe("random styles from which these means and deviations are taken"),
};

/** The slope of that leaky ReLU. */
const LEAK = 0.2;

/** A number of a style in P-space. */
export const toPSpace = (w: number): number => (w < 0 ? w / LEAK : w);

/** A number of P-space in a style. */
export const fromPSpace = (p: number): number => (p < 0 ? p * LEAK : p);

/** Where random styles lie in P-space, number by number, [width] each. */
export interface StyleBounds {
  readonly low: FloatTensor;
  readonly high: FloatTensor;
  /** One standard deviation. */
  readonly deviation: Float32Array;
}

/** Mean ± so many standard deviations of random styles, rows [n, width]. */
export function styleBounds(rows: Float32Array, width: number, deviations: number): StyleBounds {
  const count = rows.length / width;
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  for (const [at, w] of rows.entries()) {
    const p = toPSpace(w);
    sums[at % width]! += p;
    squares[at % width]! += p * p;
  }
  const mean = sums.map((s) => s / count);
  const deviation = squares.map((s, i) => Math.sqrt(Math.max(0, s / count - mean[i]! ** 2)));
  const bound = (sign: number) =>
    tensor(
      Float32Array.from(mean, (m, i) => m + sign * deviations * deviation[i]!),
      [width],
    );
  return { low: bound(-1), high: bound(1), deviation: Float32Array.from(deviation) };
}

/** Styles [N, width] with every number brought within its bounds in P-space. */
export function heldInPSpace(styles: Value, { low, high }: StyleBounds): Value {
  const p = leakyRelu(styles, 1 / LEAK);
  return leakyRelu(minimum(maximum(p, constant(low, "least")), constant(high, "greatest")), LEAK);
}
