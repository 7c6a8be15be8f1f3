import { type Shape, showShape, sizeOf } from "../shape.ts";

/** Elements of the largest tensor that an imported graph may compute: half a gigabyte of float32. */
export const MAX_ELEMENTS = 2 ** 27;

/** Elements of the largest tensor that is computed on import. Shape arithmetic needs a handful. */
export const MAX_FOLDED = 2 ** 22;

/** Axes of a tensor; the runtime's kernels take no more. */
const MAX_RANK = 12;

/** What is wrong with a shape that some file asks for, in words; undefined where nothing is. */
export function shapeFault(shape: Shape, limit = MAX_ELEMENTS): string | undefined {
  if (shape.length > MAX_RANK) return `${shape.length} axes, more than the ${MAX_RANK} that are supported`;
  if (shape.some((n) => !Number.isInteger(n) || n < 0)) return `the shape ${showShape(shape)}, which is none`;
  const size = sizeOf(shape);
  return size > limit ? `${size} elements (${showShape(shape)}), more than the limit of ${limit}` : undefined;
}
