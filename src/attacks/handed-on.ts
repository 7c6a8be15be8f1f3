import { constant, input, type Value } from "../engine/graph.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { concat, gather, reshape } from "../engine/ops/movement.ts";
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
   */
  shaken(handed: Value, share: number, copies: number): Shaken;
}

/** @param rows what is handed on for public images, [count, size of shape]  @param shape of one of them */
export function handedOn(rows: Float32Array, shape: Shape): HandedOn {
  const width = sizeOf(shape);
  const count = rows.length / width;
  const sums = new Float64Array(width);
  for (const [i, x] of rows.entries()) sums[i % width]! += x;
  const deviations = constant(
    tensor(
      rows.map((x, i) => x - sums[i % width]! / count),
      [count, width],
    ),
    "public deviations",
  );
  return {
    shaken(handed, share, copies) {
      const total = copies * handed.shape[0]!;
      const picked = input("shaken/picked", [total], "int32");
      const noise = reshape(gather(deviations, picked), [total, ...shape]);
      return {
        handed: add(concat(Array<Value>(copies).fill(handed), 0), mul(noise, share)),
        draw: (rng) => ({ "shaken/picked": Int32Array.from({ length: total }, () => rng.int(count)) }),
      };
    },
  };
}
