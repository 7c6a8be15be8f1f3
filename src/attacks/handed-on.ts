import { constant, input, type Value } from "../engine/graph.ts";
import { add, mul, square, sub } from "../engine/ops/elementwise.ts";
import { matmul } from "../engine/ops/linear.ts";
import { concat, gather, reshape } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import type { Rng } from "../engine/random.ts";
import { type Shape, sizeOf } from "../engine/shape.ts";
import { tensor } from "../engine/tensor.ts";

/** Shaken copies of what a prefix hands on, [copies · N, …], copy by copy, and what the graph is fed for one draw of them. */
export interface Shaken {
  readonly handed: Value;
  draw(rng: Rng): Readonly<Record<string, Int32Array>>;
}

/** How what a prefix hands on varies from one public image to another. */
export interface HandedOn {
  /**
   * Copies of rows [N, …], each with `share` times the deviation of a random public image from the mean of all added: noise whose
   * covariance is share² times the public one, whatever its form.
   * @param name keeps apart what graphs that are fed together are fed; those of one name need as many copies of as many rows
   */
  shaken(handed: Value, share: number, copies: number, name?: string): Shaken;
  /** Public images behind it: the length of a row of coordinates. */
  readonly count: number;
  /**
   * Rows [N, …] moved within what public images span: by Σ c_j d_j / √count, d_j being a public image's deviation from the mean. Coordinates
   * c [N, count] that are drawn from N(0, I) move a row by noise with the public covariance.
   */
  moved(handed: Value, coordinates: Value): Value;
  /** Squared distances [N] of rows [N, …] from others, 1 being the mean squared distance of a public image from the public mean. */
  distances(handed: Value, others: Value): Value;
}

/** @param rows what is handed on for public images, [count, size of shape]  @param shape of one of them */
export function handedOn(rows: Float32Array, shape: Shape): HandedOn {
  const width = sizeOf(shape);
  const count = rows.length / width;
  const sums = new Float64Array(width);
  for (const [i, x] of rows.entries()) sums[i % width]! += x;
  const moves = rows.map((x, i) => x - sums[i % width]! / count);
  const deviations = constant(tensor(moves, [count, width]), "public deviations");
  const spread = moves.reduce((total, x) => total + x * x, 0) / count;
  return {
    count,
    moved: (handed, coordinates) =>
      add(handed, reshape(matmul(mul(coordinates, 1 / Math.sqrt(count)), deviations), handed.shape)),
    distances(handed, others) {
      const apart = reshape(sub(handed, others), [handed.shape[0]!, width]);
      // Images that all hand on the same have no measure of their own.
      return mul(sum(square(apart), [1]), spread > 0 ? 1 / spread : 1);
    },
    shaken(handed, share, copies, name = "shaken") {
      const total = copies * handed.shape[0]!;
      const fed = `${name}/picked`;
      const picked = input(fed, [total], "int32");
      const noise = reshape(gather(deviations, picked), [total, ...shape]);
      return {
        handed: add(concat(Array<Value>(copies).fill(handed), 0), mul(noise, share)),
        draw: (rng) => ({ [fed]: Int32Array.from({ length: total }, () => rng.int(count)) }),
      };
    },
  };
}
