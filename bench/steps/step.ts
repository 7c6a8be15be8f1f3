import type { Value } from "../../src/engine/graph.ts";
import type { Store } from "../../src/engine/store.ts";
import type { Tensor, TensorData } from "../../src/engine/tensor.ts";
import type { Check } from "../protocol.ts";

/** A step as the package takes it, ready to compile. */
export interface Step {
  /** Has a `loss`, unless the step brings a check of its own. */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly updates: Readonly<Record<string, Value>>;
  readonly store: Store;
  readonly feeds: Readonly<Record<string, TensorData>>;
  /**
   * L2 norm over all gradients of the first run, read from the optimiser's slots, which hold a multiple of the gradient after one
   * step from zero: the timed graph needs no further output for it. Absent where the step brings a check of its own.
   */
  gradientNorm?(): number;
  /** What stands for loss and gradient norm where the step has results of another kind. */
  check?(results: Readonly<Record<string, Tensor>>): Check;
}

/** ‖x‖₂ over several arrays, each scaled and with a multiple of another subtracted: ‖scale · slot − decay · weight‖. */
export function jointNorm(
  parts: Iterable<{ slot: ArrayLike<number>; scale: number; weight?: ArrayLike<number>; decay?: number }>,
): number {
  let sum = 0;
  for (const { slot, scale, weight, decay = 0 } of parts)
    for (let i = 0; i < slot.length; i++) sum += (scale * slot[i]! - decay * (weight?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}
