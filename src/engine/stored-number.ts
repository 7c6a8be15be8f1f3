import { fromBfloat, fromHalf } from "./half.ts";

/** How one number lies on file: its bytes, and how it is read as a JavaScript number. */
export interface StoredNumber {
  /** Name by the safetensors format: `F32`, `BF16`, … */
  readonly name: string;
  /** Bytes a number. */
  readonly width: number;
  read(view: DataView, at: number, littleEndian: boolean): number;
}

const list: readonly StoredNumber[] = [
  { name: "F32", width: 4, read: (view, at, little) => view.getFloat32(at, little) },
  { name: "F64", width: 8, read: (view, at, little) => view.getFloat64(at, little) },
  { name: "F16", width: 2, read: (view, at, little) => fromHalf(view.getUint16(at, little)) },
  { name: "BF16", width: 2, read: (view, at, little) => fromBfloat(view.getUint16(at, little)) },
  { name: "I64", width: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  { name: "I32", width: 4, read: (view, at, little) => view.getInt32(at, little) },
  { name: "I16", width: 2, read: (view, at, little) => view.getInt16(at, little) },
  { name: "I8", width: 1, read: (view, at) => view.getInt8(at) },
  { name: "U8", width: 1, read: (view, at) => view.getUint8(at) },
  { name: "BOOL", width: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
];

/** Every type of number that weight files may hold, by the safetensors format's names. */
export const STORED_NUMBERS: ReadonlyMap<unknown, StoredNumber> = new Map(list.map((type) => [type.name, type]));
