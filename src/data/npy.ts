import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { bytesOf } from "../engine/number-bytes.ts";

const MAGIC = Buffer.from("\x93NUMPY\x01\x00", "latin1");
/** NumPy aligns the data to this many bytes. */
const ALIGNMENT = 64;

/** Numbers with their shape, row-major. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The bytes of a NumPy file (format version 1.0, little-endian float32, row-major). */
export function encodeNpy(data: Float32Array, shape: readonly number[]): Uint8Array {
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size !== data.length) throw new RangeError(`npy: ${data.length} numbers for the shape ${shape.join("×")}`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = MAGIC.length + 2;
  const total = Math.ceil((start + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(total, " ");
  MAGIC.copy(header);
  header.writeUInt16LE(total - start, MAGIC.length);
  header.write(dictionary, start, "latin1");
  header.write("\n", total - 1);
  return Buffer.concat([header, bytesOf(data)]);
}

/** Writes a NumPy file (see `encodeNpy`) atomically. */
export async function writeNpy(path: string, data: Float32Array, shape: readonly number[]): Promise<void> {
  await writeFileAtomic(path, encodeNpy(data, shape));
}

/**
 * Reads a NumPy file of little-endian float32 in row-major order.
 * @throws UserError for another format, type or order, and for a truncated file.
 */
export async function readNpy(path: string): Promise<NpyArray> {
  const content = await readFile(path);
  const start = MAGIC.length + 2;
  if (content.length < start || !content.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new UserError(`${path}: not a NumPy file of format version 1.0`);
  }
  const dataStart = start + content.readUInt16LE(MAGIC.length);
  const header = content.toString("latin1", start, dataStart);
  const field = (pattern: RegExp) => pattern.exec(header)?.[1];
  const descr = field(/'descr':\s*'([^']*)'/);
  const order = field(/'fortran_order':\s*(True|False)/);
  const dims = field(/'shape':\s*\(([\d,\s]*)\)/);
  if (descr === undefined || order === undefined || dims === undefined) {
    throw new UserError(`${path}: unreadable NumPy header ${JSON.stringify(header.trim())}`);
  }
  if (descr !== "<f4")
    throw new UserError(`${path}: numbers of type '${descr}', expected '<f4' (save as numpy.float32)`);
  if (order !== "False") throw new UserError(`${path}: column-major, expected row-major (numpy.ascontiguousarray)`);
  const shape = dims
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const found = content.length - dataStart;
  if (found !== size * 4) {
    throw new UserError(`${path}: ${found} bytes of data where its shape (${shape.join("×")}) asks for ${size * 4}`);
  }
  // A copy: the file's bytes need not lie on a multiple of four.
  return { shape, data: new Float32Array(Uint8Array.from(content.subarray(dataStart)).buffer) };
}
