import { TensorProto_DataLocation as DataLocation, TensorProto_DataType as DataType, type TensorProto } from "onnx-buf";
import { fromBfloat, fromHalf } from "../half.ts";
import { sizeOf } from "../shape.ts";
import { allocateHost, type HostTensor, type HostType, hostTensor } from "./host.ts";
import { shapeFault } from "./limits.ts";
import { refusal } from "./refusal.ts";

/** Reads a file of weights that lies beside the model. @throws UserError where it cannot be read. */
export type ExternalData = (location: string) => Uint8Array;

interface Encoding {
  readonly type: HostType;
  /** Bits of an element in raw data. */
  readonly bits: number;
  /** Reads the element at an index of raw data. */
  raw(view: DataView, index: number): number;
  /** The typed field that holds elements where raw data is empty. */
  field(t: TensorProto): ArrayLike<number | bigint>;
  /** The number that an entry of the typed field means, where it is not the number itself. */
  decode?(entry: number): number;
}

const nibble = (view: DataView, index: number) => (view.getUint8(index >> 1) >> (4 * (index & 1))) & 15;
const signed4 = (n: number) => (n > 7 ? n - 16 : n);
const int = (bits: number, raw: Encoding["raw"]): Encoding => ({ type: "int", bits, raw, field: (t) => t.int32Data });

/** Element types that are read; real ones become float32, whole ones keep their value. */
const ENCODINGS: ReadonlyMap<number, Encoding> = new Map<number, Encoding>([
  [DataType.FLOAT, { type: "float", bits: 32, raw: (v, i) => v.getFloat32(4 * i, true), field: (t) => t.floatData }],
  [DataType.DOUBLE, { type: "float", bits: 64, raw: (v, i) => v.getFloat64(8 * i, true), field: (t) => t.doubleData }],
  [
    DataType.FLOAT16,
    {
      type: "float",
      bits: 16,
      raw: (v, i) => fromHalf(v.getUint16(2 * i, true)),
      field: (t) => t.int32Data,
      decode: fromHalf,
    },
  ],
  [
    DataType.BFLOAT16,
    {
      type: "float",
      bits: 16,
      raw: (v, i) => fromBfloat(v.getUint16(2 * i, true)),
      field: (t) => t.int32Data,
      decode: fromBfloat,
    },
  ],
  [DataType.INT8, int(8, (v, i) => v.getInt8(i))],
  [DataType.UINT8, int(8, (v, i) => v.getUint8(i))],
  [DataType.INT16, int(16, (v, i) => v.getInt16(2 * i, true))],
  [DataType.UINT16, int(16, (v, i) => v.getUint16(2 * i, true))],
  [DataType.INT32, int(32, (v, i) => v.getInt32(4 * i, true))],
  [DataType.UINT32, { type: "int", bits: 32, raw: (v, i) => v.getUint32(4 * i, true), field: (t) => t.uint64Data }],
  [
    DataType.INT64,
    { type: "int", bits: 64, raw: (v, i) => Number(v.getBigInt64(8 * i, true)), field: (t) => t.int64Data },
  ],
  [
    DataType.UINT64,
    { type: "int", bits: 64, raw: (v, i) => Number(v.getBigUint64(8 * i, true)), field: (t) => t.uint64Data },
  ],
  [DataType.INT4, { type: "int", bits: 4, raw: (v, i) => signed4(nibble(v, i)), field: (t) => t.int32Data }],
  [DataType.UINT4, { type: "int", bits: 4, raw: nibble, field: (t) => t.int32Data }],
  [DataType.BOOL, { type: "bool", bits: 8, raw: (v, i) => Number(v.getUint8(i) !== 0), field: (t) => t.int32Data }],
]);

/** The kind of numbers of an element type of the file; undefined for types that are not read (text, complex numbers, float8). */
export function hostTypeOf(dataType: number): HostType | undefined {
  return ENCODINGS.get(dataType)?.type;
}

/** `float16` as messages say it. */
export function typeName(dataType: number): string {
  return DataType[dataType]?.toLowerCase() ?? `type ${dataType}`;
}

/**
 * Reads a tensor of the file. Real numbers of any width become float32.
 * @throws UserError for an element type that is not read, and where the stored bytes do not fill the shape.
 */
export function readTensor(t: TensorProto, external: ExternalData): HostTensor {
  const name = `tensor "${t.name}"`;
  const encoding = ENCODINGS.get(t.dataType);
  if (encoding === undefined) throw refusal(`${name} has element type ${typeName(t.dataType)}, which is not read`);
  const shape = t.dims.map(Number);
  const fault = shapeFault(shape);
  if (fault !== undefined) throw refusal(`${name} has ${fault}`);
  const count = sizeOf(shape);
  const bytes = t.dataLocation === DataLocation.EXTERNAL ? externalBytes(t, name, external) : t.rawData;
  const { type, bits, raw, field, decode = (entry: number) => entry } = encoding;
  const entries = field(t);
  // Types of four bits lie two in an entry of the typed field as they do in a byte of raw data: only the latter is in use.
  if (bytes.length === 0 && count > 0 && bits >= 8) {
    if (entries.length !== count)
      throw refusal(`${name} of shape [${shape}] holds ${entries.length} numbers, ${count} are needed`);
    return hostTensor(
      type,
      shape,
      Array.from(entries, (entry) => decode(Number(entry))),
    );
  }
  const needed = Math.ceil((count * bits) / 8);
  if (bytes.length !== needed)
    throw refusal(`${name} of shape [${shape}] holds ${bytes.length} bytes, ${needed} are needed`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = allocateHost(type, count);
  for (let i = 0; i < count; i++) data[i] = raw(view, i);
  return { type, shape, data };
}

function externalBytes(t: TensorProto, name: string, external: ExternalData): Uint8Array {
  const entries = Object.fromEntries(t.externalData.map(({ key, value }) => [key, value]));
  const { location = "" } = entries;
  const file = external(location);
  const offset = Number(entries.offset ?? 0);
  const length = entries.length === undefined ? file.length - offset : Number(entries.length);
  if (!(offset >= 0 && length >= 0 && offset + length <= file.length)) {
    throw refusal(
      `${name} is said to lie at bytes ${entries.offset} to +${entries.length} of ${location}, which has ${file.length}`,
    );
  }
  return file.subarray(offset, offset + length);
}
