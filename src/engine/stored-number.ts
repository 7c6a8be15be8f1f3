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
  { name: "BF16", width: 2, read: (view, at, little) => bfloat(view.getUint16(at, little)) },
  { name: "I64", width: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  { name: "I32", width: 4, read: (view, at, little) => view.getInt32(at, little) },
  { name: "I16", width: 2, read: (view, at, little) => view.getInt16(at, little) },
  { name: "I8", width: 1, read: (view, at) => view.getInt8(at) },
  { name: "U8", width: 1, read: (view, at) => view.getUint8(at) },
  { name: "BOOL", width: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
];

/** Every type of number that weight files may hold, by the safetensors format's names. */
export const STORED_NUMBERS: ReadonlyMap<unknown, StoredNumber> = new Map(list.map((type) => [type.name, type]));

const word = new DataView(new ArrayBuffer(4));

function bfloat(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
