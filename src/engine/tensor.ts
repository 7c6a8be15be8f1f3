import { type Shape, showShape, sizeOf } from "./shape.ts";

/** Element types of the graph: real numbers, indices, truth values. */
export type Dtype = "float32" | "int32" | "bool";

/** The array that holds a tensor's elements, row by row; truth values are bytes 0 and 1. */
export type TensorData = Float32Array | Int32Array | Uint8Array;

/** A tensor with its numbers, on the host. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly data: TensorData;
}

/** A float tensor whose elements are known to be a `Float32Array`: weights, images, latents. */
export interface FloatTensor extends Tensor {
  readonly dtype: "float32";
  readonly data: Float32Array;
}

/** A float tensor of the given shape. @throws RangeError if the count of elements does not match. */
export function tensor(data: Float32Array | readonly number[], shape: Shape): FloatTensor {
  const array = data instanceof Float32Array ? data : Float32Array.from(data);
  checkCount(array.length, shape);
  return { dtype: "float32", shape, data: array };
}

/** A tensor of whole numbers (labels, indices). @throws RangeError if the count of elements does not match. */
export function indexTensor(data: Int32Array | readonly number[], shape: Shape): Tensor {
  const array = data instanceof Int32Array ? data : Int32Array.from(data);
  checkCount(array.length, shape);
  return { dtype: "int32", shape, data: array };
}

/** A square matrix [n, n] with one number on its diagonal, and zeros. */
export function diagonal(n: number, value: number): FloatTensor {
  return tensor(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? value : 0)),
    [n, n],
  );
}

/** A float tensor filled with one number. */
export function filled(shape: Shape, value: number): FloatTensor {
  return { dtype: "float32", shape, data: new Float32Array(sizeOf(shape)).fill(value) };
}

/** An array for `count` elements of a type. */
export function allocate(dtype: Dtype, count: number): TensorData {
  if (dtype === "float32") return new Float32Array(count);
  return dtype === "int32" ? new Int32Array(count) : new Uint8Array(count);
}

/** The tensor as a float tensor. @throws TypeError for another element type. */
export function asFloat(t: Tensor, name = "tensor"): FloatTensor {
  if (t.dtype !== "float32" || !(t.data instanceof Float32Array)) {
    throw new TypeError(`${name} has element type ${t.dtype}, float32 is needed`);
  }
  return { dtype: t.dtype, shape: t.shape, data: t.data };
}

function checkCount(count: number, shape: Shape): void {
  if (count !== sizeOf(shape)) throw new RangeError(`${count} elements do not fill shape ${showShape(shape)}`);
}
