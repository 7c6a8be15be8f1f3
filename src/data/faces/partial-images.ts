import { constants, openSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";

/** How a file of images is laid out: a header, then `size` images of the same length. */
export interface ImageFileLayout {
  readonly headerBytes: number;
  readonly imageBytes: number;
  readonly size: number;
}

/**
 * A file of images that are written in any order, until all are there: `<path>.part`, and `<path>.drawn` with a byte for each image, 1 where
 * it lies in the first.
 */
export interface PartialImages {
  /** How many images are there. */
  count(): number;
  /** Those of the indices, or of all, whose images are not there, in ascending order, each once. */
  missing(indices?: ArrayLike<number> | Iterable<number>): number[];
  /** Writes images, which lie one after the other in `bytes`, to the places of their indices. */
  write(indices: readonly number[], bytes: Uint8Array): Promise<void>;
  /** Gives the file, which has all images, its own name, unless another process has done so: `isThere` says whether. */
  finish(isThere: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const partOf = (path: string) => `${path}.part`;
const listOf = (path: string) => `${path}.drawn`;

/** Opens or begins the file. One without a list is from an earlier version, which wrote images in order: those that are whole are there. */
export async function openPartialImages(
  path: string,
  header: Uint8Array,
  { headerBytes, imageBytes, size }: ImageFileLayout,
): Promise<PartialImages> {
  const file = await openOrMake(partOf(path));
  // Its length counts only as it was before there was a list: whoever has one writes anywhere.
  const whole = Math.max(0, Math.floor(((await file.stat()).size - headerBytes) / imageBytes));
  const begun = await open(listOf(path), "wx+").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    return undefined;
  });
  const list = begun ?? (await openOrMake(listOf(path)));
  const drawn = new Uint8Array(size);
  if (begun === undefined) await list.read(drawn, 0, size, 0);
  else await list.write(drawn.fill(1, 0, whole), 0, size, 0);
  await file.write(header, 0, headerBytes, 0);
  let count = drawn.reduce((sum, is) => sum + is, 0);
  let closing: Promise<unknown> | undefined;
  const close = async () => {
    closing ??= Promise.all([file.close(), list.close()]);
    await closing;
  };

  return {
    close,
    count: () => count,
    missing: (indices = drawn.keys()) =>
      [...new Set(Array.from(indices))].filter((index) => drawn[index] !== 1).sort((a, b) => a - b),
    async write(indices, bytes) {
      for (const [i, index] of indices.entries())
        await file.write(bytes, i * imageBytes, imageBytes, headerBytes + index * imageBytes);
      // An image must not be listed that a power cut could still take away.
      await file.datasync();
      for (const index of indices) {
        if (drawn[index] !== 1) count++;
        drawn[index] = 1;
        await list.write(drawn, index, 1, index);
      }
    },
    async finish(isThere) {
      await file.sync();
      // Some systems rename no file that is open.
      await close();
      if (isThere()) return;
      // The list goes first: without one a whole file is known by its length, but a list without its file would vouch for another.
      await rm(listOf(path), { force: true });
      await rename(partOf(path), path).catch((error: unknown) => {
        if (!isThere()) throw error;
      });
    },
  };
}

/** Opens a file that was begun, to read images that are there, under whichever of its names it has. */
export function openToRead(path: string, isThere: () => boolean): number {
  try {
    return openSync(isThere() ? path : partOf(path), "r");
  } catch (error) {
    // Another process may have drawn the last image just now.
    if (isThere()) return openSync(path, "r");
    throw error;
  }
}

function openOrMake(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_CREAT);
}
