import { type Shape, sizeOf } from "../shape.ts";
import { indexTensor, type Tensor, tensor } from "../tensor.ts";

/** Kinds of numbers that an imported file computes with: real numbers of any width, whole numbers of any width, truth values. */
export type HostType = "float" | "int" | "bool";

/** Numbers of a tensor on the host; whole numbers are kept in doubles, exact up to 2⁵³. */
export type HostData = Float32Array | Float64Array | Uint8Array;

/** A tensor whose numbers are known when a file is imported: a weight, a constant, or the result of shape arithmetic. */
export interface HostTensor {
  readonly type: HostType;
  readonly shape: Shape;
  readonly data: HostData;
}

const ARRAYS = { float: Float32Array, int: Float64Array, bool: Uint8Array } as const;

/** An array for `count` numbers of a kind. */
export function allocateHost(type: HostType, count: number): HostData {
  return new ARRAYS[type](count);
}

/** A host tensor of the given numbers, converted to its kind. */
export function hostTensor(type: HostType, shape: Shape, numbers: ArrayLike<number>): HostTensor {
  if (numbers.length !== sizeOf(shape)) throw new RangeError(`${numbers.length} numbers do not fill [${shape}]`);
  return { type, shape, data: ARRAYS[type].from(numbers) };
}

/** A list of whole numbers, such as a shape. */
export function intList(numbers: readonly number[]): HostTensor {
  return hostTensor("int", [numbers.length], numbers);
}

/** The numbers as a plain list, whatever the shape. */
export function numbersOf(t: HostTensor): number[] {
  return Array.from(t.data);
}

const INT32 = 2 ** 31;

/** The same tensor as the graph's constants have it. @throws RangeError for whole numbers beyond 32 bits. */
export function toGraphTensor({ type, shape, data }: HostTensor): Tensor {
  if (type === "float") return tensor(data as Float32Array, shape);
  if (type === "bool") return { dtype: "bool", shape, data: data as Uint8Array };
  const wide = data.find((n) => n < -INT32 || n >= INT32);
  if (wide !== undefined) throw new RangeError(`the whole number ${wide} does not fit into 32 bits`);
  return indexTensor(Int32Array.from(data), shape);
}

/** Elements between neighbours along each axis of a row-major tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}
