import { type FileHandle, open, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { bytesOf } from "../engine/number-bytes.ts";

/** Rows of numbers, all of one length, that are written once and read many times. */
export interface RowStore {
  /** Writes rows one after the other, from row `at` on. */
  write(at: number, rows: Float32Array): Promise<void>;
  /** Reads the given rows, one after the other, into `out`. */
  read(rows: ArrayLike<number>, out: Float32Array): Promise<void>;
  /** Frees the memory, or removes the file. */
  release(): Promise<void>;
}

/** No file becomes larger than this, nor than half of what is free on its disk. */
const FILE_BYTES = 8 * 2 ** 30;

/**
 * A store for `count` rows of `length` numbers: in memory up to `memory` bytes, above that in a file. What an earlier process left
 * under that path is removed.
 * @param path of the file; without it, or where the file would become too large, there is no store for more than fits in memory.
 */
export async function openRowStore(options: {
  readonly count: number;
  readonly length: number;
  readonly memory: number;
  readonly path?: string;
}): Promise<RowStore | undefined> {
  const { count, length, memory, path } = options;
  const bytes = count * length * Float32Array.BYTES_PER_ELEMENT;
  if (path !== undefined) await rm(path, { force: true });
  if (bytes <= memory) return inMemory(count, length);
  if (path === undefined || bytes > FILE_BYTES) return undefined;
  const { bavail, bsize } = await statfs(dirname(path));
  return bytes > (bavail * bsize) / 2 ? undefined : inFile(path, length);
}

function inMemory(count: number, length: number): RowStore {
  let held = new Float32Array(count * length);
  return {
    async write(at, rows) {
      held.set(rows, at * length);
    },
    async read(rows, out) {
      for (let i = 0; i < rows.length; i++)
        out.set(held.subarray(rows[i]! * length, (rows[i]! + 1) * length), i * length);
    },
    async release() {
      held = new Float32Array(0);
    },
  };
}

async function inFile(path: string, length: number): Promise<RowStore> {
  const file = await open(path, "w+");
  const width = length * Float32Array.BYTES_PER_ELEMENT;
  return {
    async write(at, rows) {
      const bytes = bytesOf(rows);
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at * width + done);
        done += bytesWritten;
      }
    },
    async read(rows, out) {
      await Promise.all(
        Array.from(rows, (row, i) => readFully(file, row * width, bytesOf(out).subarray(i * width, (i + 1) * width))),
      );
    },
    async release() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}

async function readFully(file: FileHandle, position: number, out: Uint8Array): Promise<void> {
  for (let done = 0; done < out.length; ) {
    const { bytesRead } = await file.read(out, done, out.length - done, position + done);
    if (bytesRead === 0) throw new RangeError(`no bytes at ${position + done}: the row was never written`);
    done += bytesRead;
  }
}
