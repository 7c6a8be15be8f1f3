import { type Shape, sizeOf } from "../../src/engine/shape.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { type FloatTensor, tensor } from "../../src/engine/tensor.ts";
import type { WeightSpec } from "../../src/models/layer.ts";

// Weights that need not be stored, since the formula is the same in any language; golden/README.md describes it.

/** Element i of tensor t: a hash of both as a number in [−1, 1). */
function number(t: number, i: number): number {
  let h = Math.imul(i + 1, 2654435761) ^ Math.imul(t + 1, 40503);
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return ((h >>> 0) / 4294967296) * 2 - 1;
}

function numbers(t: number, shape: Shape): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => number(t, i));
}

/** Images in [0, 1]. */
export function formulaImages(shape: Shape): FloatTensor {
  return tensor(
    numbers(1000, shape).map((u) => (1 + u) / 2),
    shape,
  );
}

/** A tensor for each spec, in a range that keeps activations of order one. */
export function formulaWeights(specs: readonly WeightSpec[]): StateDict {
  const sorted = [...specs].sort((a, b) => (a.name < b.name ? -1 : 1));
  return Object.fromEntries(
    sorted.map(({ name, shape }, t) => [name, tensor(numbers(t, shape).map(scaleOf(name, shape)), shape)]),
  );
}

function scaleOf(name: string, shape: Shape): (u: number) => number {
  if (name.endsWith("running_var")) return (u) => 1 + u / 2;
  if (name.endsWith("running_mean") || name.endsWith("bias")) return (u) => u / 4;
  if (shape.length === 1) return (u) => 1 + u / 4;
  const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
  return (u) => u * bound;
}
