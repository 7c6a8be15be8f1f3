import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { UserError } from "../engine/errors.ts";

/** The content of an IDX file of bytes: sizes of its dimensions, and the bytes in row-major order. */
export interface IdxArray {
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** IDX element type 0x08: unsigned bytes. The third byte of the magic number names the type, the fourth the dimensions. */
const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes, gzip-compressed or not (told by its content, not by its name).
 * @param dimensions 3 for images (count, rows, columns), 1 for labels.
 * @throws UserError for a missing, truncated or over-long file and for another magic number.
 */
export async function readIdx(path: string, dimensions: number): Promise<IdxArray> {
  const content = await unpack(path, await readOrExplain(path));
  const expected = (UNSIGNED_BYTE << 8) | dimensions;
  const headerLength = 4 + 4 * dimensions;
  if (content.length < 4) throw new UserError(`${path}: ${content.length} bytes are too few for an IDX file`);
  const magic = content.readUInt32BE(0);
  if (magic !== expected) {
    throw new UserError(
      `${path}: magic number ${magic} instead of ${expected} (unsigned bytes in ${dimensions} dimension${dimensions === 1 ? "" : "s"}); ` +
        "is it an IDX file, and not labels in place of images?",
    );
  }
  if (content.length < headerLength) throw new UserError(`${path}: truncated inside its header`);
  const dims = Array.from({ length: dimensions }, (_, i) => content.readUInt32BE(4 + 4 * i));
  const length = dims.reduce((product, dim) => product * dim, 1);
  const found = content.length - headerLength;
  if (found !== length) {
    throw new UserError(
      `${path}: ${found < length ? "truncated" : "too long"}: ${found} bytes of data where its header (${dims.join("×")}) asks for ${length}`,
    );
  }
  return { dims, bytes: content.subarray(headerLength) };
}

async function readOrExplain(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read: ${(error as Error).message}`);
  }
}

async function unpack(path: string, content: Buffer): Promise<Buffer> {
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content;
  try {
    return await promisify(gunzip)(content);
  } catch (error) {
    throw new UserError(`${path}: damaged gzip file: ${(error as Error).message}`);
  }
}
