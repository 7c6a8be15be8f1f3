import { bytesOf } from "./number-bytes.ts";
import { type Shape, sameShape, sizeOf } from "./shape.ts";
import type { StoredNumber } from "./stored-number.ts";
import { type FloatTensor, tensor } from "./tensor.ts";

/** A tensor of a weight file: what it is, and its numbers on demand, so that what nobody asks for costs no memory. */
export interface StoredTensor {
  readonly shape: Shape;
  /** Its numbers' type on file, by the safetensors format's names. */
  readonly type: string;
  /** The numbers, row by row, as float32. */
  read(): FloatTensor;
}

/** Where a tensor's numbers lie: a run of `count` of them, of which the tensor takes those that its strides reach. */
export interface StoredRun {
  readonly bytes: Uint8Array;
  readonly type: StoredNumber;
  readonly littleEndian: boolean;
}

/** A tensor that lies in a run row by row. */
export function rowMajor(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The index after the last number of the run that a tensor of these strides reads; 0 for a tensor without elements. */
export function reach(shape: Shape, strides: readonly number[], offset: number): number {
  if (sizeOf(shape) === 0) return 0;
  return offset + shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0) + 1;
}

/** Reads a tensor out of a run. Offset and strides count numbers, not bytes; what they reach must lie within the run. */
export function readStored(run: StoredRun, shape: Shape, strides: readonly number[], offset: number): FloatTensor {
  const { bytes, type, littleEndian } = run;
  const count = sizeOf(shape);
  const data = new Float32Array(count);
  if (type.name === "F32" && littleEndian && sameShape(strides, rowMajor(shape))) {
    bytesOf(data).set(bytes.subarray(offset * type.width, (offset + count) * type.width));
    return tensor(data, shape);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, at = offset; i < count; i++) {
    data[i] = type.read(view, at * type.width, littleEndian);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return tensor(data, shape);
}
