import { UserError } from "./errors.ts";
import { toHalf } from "./half.ts";
import { bytesOf } from "./number-bytes.ts";
import { showShape, sizeOf } from "./shape.ts";
import type { StateDict } from "./store.ts";
import { STORED_NUMBERS } from "./stored-number.ts";
import { readStored, rowMajor, type StoredTensor } from "./stored-tensor.ts";
import type { FloatTensor } from "./tensor.ts";

/** How numbers are stored on file; in memory they are always float32. */
export type Precision = "float32" | "float16";

/** A safetensors file's content. */
export interface SafetensorsFile {
  readonly tensors: StateDict;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The key of a header that holds no tensor but the file's own notes. */
const METADATA = "__metadata__";

/** Writes tensors in the safetensors format: 8 bytes of header length, a JSON header, the raw numbers. */
export function encodeSafetensors(
  tensors: StateDict,
  metadata: Readonly<Record<string, string>> = {},
  precision: Precision | ((t: FloatTensor) => Precision) = "float32",
): Uint8Array {
  const half = (t: FloatTensor) => (typeof precision === "function" ? precision(t) : precision) === "float16";
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  let at = 0;
  for (const [name, t] of Object.entries(tensors)) {
    const end = at + t.data.length * (half(t) ? 2 : 4);
    header.push([name, { dtype: half(t) ? "F16" : "F32", shape: t.shape, data_offsets: [at, end] }]);
    at = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + at).fill(0x20, 8, 8 + padded);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  let offset = 8 + padded;
  for (const t of Object.values(tensors)) {
    if (half(t)) {
      for (let i = 0; i < t.data.length; i++, offset += 2) view.setUint16(offset, toHalf(t.data[i]!), true);
    } else {
      bytes.set(bytesOf(t.data), offset);
      offset += t.data.byteLength;
    }
  }
  return bytes;
}

/**
 * Reads a safetensors file; numbers become float32 (every type that `openSafetensors` knows is read).
 * @throws UserError with the file's name and the tensor for anything that is not such a file.
 */
export function decodeSafetensors(bytes: Uint8Array, file = "safetensors data"): SafetensorsFile {
  const { tensors, metadata } = openSafetensors(bytes, file);
  return { tensors: Object.fromEntries([...tensors].map(([name, stored]) => [name, stored.read()])), metadata };
}

/**
 * Opens a safetensors file (numbers of type F16, BF16, F32, F64, I8, I16, I32, I64, U8 or BOOL); no tensor is read yet.
 * @throws UserError with the file's name and the tensor for anything that is not such a file.
 */
export function openSafetensors(
  bytes: Uint8Array,
  file: string,
): { readonly tensors: ReadonlyMap<string, StoredTensor>; readonly metadata: Readonly<Record<string, string>> } {
  const bad = (what: string): never => {
    throw new UserError(`${file}: not a readable safetensors file: ${what}`);
  };
  if (bytes.length < 8) bad(`${bytes.length} bytes are too few`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true));
  if (length > bytes.length - 8) bad(`its header of ${length} bytes is longer than the file`);
  const header = parseHeader(bytes.subarray(8, 8 + length), bad);
  const { [METADATA]: metadata = {}, ...entries } = header;
  const numbers = bytes.subarray(8 + length);
  return {
    tensors: new Map(Object.entries(entries).map(([name, entry]) => [name, storedTensor(name, entry, numbers, bad)])),
    metadata: isTexts(metadata) ? metadata : bad("its metadata is not an object of texts"),
  };
}

function parseHeader(bytes: Uint8Array, bad: (what: string) => never): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isRecord(header)) return header;
  } catch {
    // told below, in the same words as a header of the wrong kind
  }
  return bad("its header is not a JSON object");
}

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);

const isTexts = (x: unknown): x is Record<string, string> =>
  isRecord(x) && Object.values(x).every((text) => typeof text === "string");

const isWholeList = (x: unknown): x is number[] =>
  Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);

function storedTensor(name: string, entry: unknown, numbers: Uint8Array, bad: (what: string) => never): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : bad(`tensor ${name} has no description`);
  const type =
    STORED_NUMBERS.get(dtype) ??
    bad(`tensor ${name} has type ${dtype}; ${[...STORED_NUMBERS.keys()].join(", ")} can be read`);
  if (!isWholeList(shape) || !isWholeList(offsets) || offsets.length !== 2) {
    return bad(`tensor ${name} has no shape or no offsets in whole numbers`);
  }
  const [start, end] = offsets as [number, number];
  if (end - start !== sizeOf(shape) * type.width || end > numbers.length) {
    bad(`tensor ${name} of shape ${showShape(shape)} does not fit its bytes ${start} to ${end}`);
  }
  const run = { bytes: numbers.subarray(start, end), type, littleEndian: true };
  return { shape, type: type.name, read: () => readStored(run, shape, rowMajor(shape), 0) };
}
