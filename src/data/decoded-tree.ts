import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import type { DataContext } from "./data.ts";
import { type DecodeOptions, decodeContent, decodeImage } from "./decode-image.ts";
import type { ImageTree } from "./image-tree.ts";
import { isRawFileWhole, openRawFileSet, type RawFileSet, rawFilePath, writeRawFile } from "./raw-file-set.ts";

/** Images decoded at the same time; the decoder's own threads share them. */
const PARALLEL = 4;
/** Raised when decoding or the index changes, so that older caches are not used. */
const VERSION = 2;

/** The small file that leads from a tree's files (by path, size, time and column) to the raw file with their pixels. */
const Index = z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/), images: z.array(z.string()) });

/** A decoded tree. */
export interface DecodedTree {
  readonly set: RawFileSet;
  /** For each image a short hash of its pixels: equal images have equal ones. */
  readonly fingerprints: readonly string[];
}

/**
 * The images of a tree, decoded once into a raw file in the cache folder that is named by its content. A later call with
 * files of the same paths, sizes, times and columns finds it again; the set's hash is always that of the decoded pixels.
 * @throws UserError for an image that cannot be decoded, and the signal's reason when it is aborted; nothing is left in the cache then.
 */
export async function decodeTree(
  tree: ImageTree,
  name: string,
  options: DecodeOptions,
  context: Pick<DataContext, "cacheDir" | "progress" | "signal">,
): Promise<DecodedTree> {
  const header = {
    channels: options.channels,
    height: options.size,
    width: options.size,
    classes: tree.classes,
    labels: Int32Array.from(tree.files, (file) => file.label),
  };
  const indexPath = join(context.cacheDir, `folder-${(await cacheKey(tree, options)).slice(0, 32)}.json`);
  const known = await readIndex(indexPath);
  if (known !== undefined) {
    const path = rawFilePath(context.cacheDir, known.hash);
    if (await isRawFileWhole(path, header)) {
      return { set: await openRawFileSet({ ...header, name, path, hash: known.hash }), fingerprints: known.images };
    }
  }
  const fingerprints: string[] = [];
  const what = `decoding ${name}`;
  async function* decoded(): AsyncGenerator<Uint8Array> {
    for await (const group of groups(decodings(tree, options), PARALLEL)) {
      context.signal?.throwIfAborted();
      context.progress?.(fingerprints.length, tree.files.length, what);
      const outcomes = await Promise.allSettled(group.map((decode) => decode()));
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") throw outcome.reason;
        fingerprints.push(createHash("sha256").update(outcome.value).digest("hex").slice(0, 24));
        yield outcome.value;
      }
    }
    context.progress?.(tree.files.length, tree.files.length, what);
  }
  const { path, hash } = await writeRawFile(context.cacheDir, header, decoded());
  await writeFileAtomic(indexPath, JSON.stringify({ hash, images: fingerprints } satisfies z.output<typeof Index>));
  return { set: await openRawFileSet({ ...header, name, path, hash }), fingerprints };
}

/** What decodes each image of a tree, in order. */
async function* decodings(tree: ImageTree, options: DecodeOptions): AsyncGenerator<() => Promise<Uint8Array>> {
  if (tree.encoded === undefined) {
    for (const file of tree.files) yield () => decodeImage(join(tree.root, file.path), options, file.box);
    return;
  }
  for await (const { name, content } of tree.encoded(tree.files)) {
    if (!(content instanceof Uint8Array))
      throw new UserError(`${name}: holds no image; a table of paths must be saved with its images in it`);
    yield () => decodeContent(name, () => content, options);
  }
}

/** So many at a time; the last may be fewer. */
async function* groups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function readIndex(path: string): Promise<z.output<typeof Index> | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return Index.parse(JSON.parse(text));
  } catch {
    // A damaged cache is no reason to stop: it is made again.
    return undefined;
  }
}

async function cacheKey(tree: ImageTree, options: DecodeOptions): Promise<string> {
  const { size, channels, crop } = options;
  const hash = createHash("sha256").update(
    JSON.stringify([VERSION, resolve(tree.root), tree.classes, size, channels, crop, tree.columns ?? []]),
  );
  let last: { readonly path: string; readonly size: number; readonly mtimeMs: number } | undefined;
  for (const { path, label, box, row } of tree.files) {
    // Rows of one table stand together.
    if (last?.path !== path) last = { path, ...sizeAndTime(await stat(join(tree.root, path))) };
    const rest = [...(box ? [box] : []), ...(row === undefined ? [] : [{ row }])];
    hash.update(JSON.stringify([path, label, last.size, last.mtimeMs, ...rest]));
  }
  return hash.digest("hex");
}

const sizeAndTime = ({ size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }) => ({ size, mtimeMs });
