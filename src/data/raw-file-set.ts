import { close as closeDescriptor, open as openDescriptor, read as readDescriptor, readSync } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { UserError } from "../engine/errors.ts";
import { checkLabels, contentHash, type ImageSetHeader } from "./content-hash.ts";
import type { ImageSet } from "./dataset.ts";
import { imageLength } from "./image-size.ts";
import { signedTemporaryName } from "./left-behind.ts";

// A plain descriptor, not a FileHandle: a set has no end of life, and a FileHandle warns when it is collected while open.
const descriptor = {
  open: promisify(openDescriptor),
  read: promisify(readDescriptor),
  close: promisify(closeDescriptor),
};

/** Reads at the same time; more only queue up in the thread pool. */
const PARALLEL_READS = 16;

/**
 * Milliseconds after which a read is one from the disk. The system's own memory gives an image in a few microseconds, the way there and
 * back through the thread pool takes a hundred: only where there is something to wait for is it worth it.
 */
const FROM_DISK = 1;

/** A set over a raw file, which can be closed (a process that ends need not). */
export interface RawFileSet extends ImageSet {
  close(): Promise<void>;
}

/** Where the images of a raw file lie and what they are. */
export interface RawFileOptions extends ImageSetHeader {
  readonly name: string;
  readonly path: string;
  readonly hash: string;
}

/** The name of the raw file with the given content. */
export function rawFilePath(folder: string, hash: string): string {
  return join(folder, `images-${hash.slice(0, 32)}.u8`);
}

/**
 * Writes images, as they come, to a raw file named by their content and gives its path and hash. Only one image is held at a
 * time. The file appears under its name when it is whole; after a failure nothing is left, and what a killed process leaves is removed
 * by `removeLeftBehind`.
 * @throws RangeError where an image has another number of bytes than the header says, or their number is not that of the labels.
 */
export async function writeRawFile(
  folder: string,
  header: ImageSetHeader,
  images: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ readonly path: string; readonly hash: string }> {
  const length = imageLength(header);
  const hash = contentHash(header);
  await mkdir(folder, { recursive: true });
  const temporary = await signedTemporaryName(join(folder, "images.u8"));
  try {
    const file = await open(temporary, "wx");
    try {
      let count = 0;
      for await (const image of images) {
        if (image.length !== length)
          throw new RangeError(`image ${count} has ${image.length} bytes instead of ${length}`);
        hash.update(image);
        await file.writeFile(image);
        count++;
      }
      if (count !== header.labels.length) throw new RangeError(`${count} images for ${header.labels.length} labels`);
      await file.sync();
    } finally {
      await file.close();
    }
    const digest = hash.digest();
    const path = rawFilePath(folder, digest);
    await rename(temporary, path);
    return { path, hash: digest };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whether a raw file is there with exactly the bytes that the header asks for. */
export async function isRawFileWhole(path: string, header: ImageSetHeader): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size === header.labels.length * imageLength(header);
}

/**
 * A set over a raw file: images one after the other, each `channels × height × width` bytes, nothing else. Images are read by
 * offset through one descriptor; neighbours that are asked for in order are read at once. Memory does not grow with the set. What the
 * system holds in memory is read at once, and from the first image on that has to come from the disk, several at a time.
 * @throws UserError for a file of another size than the header asks for.
 */
export async function openRawFileSet(options: RawFileOptions): Promise<RawFileSet> {
  const { name, path, channels, height, width, classes, labels, hash } = options;
  const length = imageLength(options);
  const size = labels.length;
  checkLabels(name, labels, classes, size);
  if (!(await isRawFileWhole(path, options))) {
    throw new UserError(
      `${path}: expected ${size} images of ${channels}×${height}×${width} bytes; delete the file, it is made again`,
    );
  }
  const file = await descriptor.open(path, "r");

  const endsEarly = (first: number) =>
    new UserError(`${path}: ends before image ${first} of ${size}; delete the file, it is made again`);

  async function readRun(first: number, out: Uint8Array): Promise<void> {
    for (let done = 0; done < out.length; ) {
      const { bytesRead } = await descriptor.read(file, out, done, out.length - done, first * length + done);
      if (bytesRead === 0) throw endsEarly(first);
      done += bytesRead;
    }
  }

  /** The same at once. @returns whether it took no longer than a read from memory. */
  function readRunNow(first: number, out: Uint8Array): boolean {
    const start = performance.now();
    for (let done = 0; done < out.length; ) {
      const bytesRead = readSync(file, out, done, out.length - done, first * length + done);
      if (bytesRead === 0) throw endsEarly(first);
      done += bytesRead;
    }
    return performance.now() - start < FROM_DISK;
  }

  return {
    name,
    channels,
    height,
    width,
    size,
    classes,
    labels,
    hash,
    close: () => descriptor.close(file),
    async read(indices, out) {
      let pending: Promise<void>[] = [];
      let inMemory = true;
      for (const run of consecutiveRuns(indices)) {
        if (run.first < 0 || run.first + run.count > size) {
          throw new RangeError(`${name}: no image ${run.first < 0 ? run.first : size} among ${size}`);
        }
        const part = out.subarray(run.at * length, (run.at + run.count) * length);
        if (inMemory) {
          inMemory = readRunNow(run.first, part);
          continue;
        }
        pending.push(readRun(run.first, part));
        if (pending.length === PARALLEL_READS) {
          await Promise.all(pending);
          pending = [];
        }
      }
      await Promise.all(pending);
    },
  };
}

/** Stretches of indices that go up by one: `first` is the index, `at` its place in the list. */
function* consecutiveRuns(indices: ArrayLike<number>): Generator<{ first: number; at: number; count: number }> {
  for (let at = 0; at < indices.length; ) {
    const first = indices[at]!;
    let count = 1;
    while (at + count < indices.length && indices[at + count] === first + count) count++;
    yield { first, at, count };
    at += count;
  }
}
