import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { UserError } from "../engine/errors.ts";
import type { Box } from "./decode-image.ts";

/** An image of a tree: its path under the root, its label, and the part of it that counts where that is not all. */
export interface ListedImage {
  readonly path: string;
  readonly label: number;
  readonly box?: Box;
  /** Its row, from 0, where the path is that of a table with many images. */
  readonly row?: number;
}

/** Images as they lie in a table, with the names that messages give them. */
export type EncodedImages = AsyncGenerator<{ readonly name: string; readonly content: unknown }>;

/** The images of a folder: class names in order, and each file's path under the folder with its label. */
export interface ImageTree {
  readonly root: string;
  readonly classes: readonly string[];
  readonly files: readonly ListedImage[];
  /** The columns that hold the images, where they are rows of tables: each one's path as JSON. */
  readonly columns?: readonly string[];
  /** Reads the given images in order, where they are rows of tables. */
  readonly encoded?: (files: readonly ListedImage[]) => EncodedImages;
}

/** What messages call an image. */
export function nameOf({ root }: ImageTree, { path, row }: ListedImage): string {
  return row === undefined ? join(root, path) : `${join(root, path)} row ${row}`;
}

let suffixes: Promise<ReadonlySet<string>> | undefined;

/** The file suffixes that are read as images, lower case: all that sharp can decode. */
export function imageSuffixes(): Promise<ReadonlySet<string>> {
  suffixes ??= readSuffixes();
  return suffixes;
}

async function readSuffixes(): Promise<ReadonlySet<string>> {
  const { default: sharp } = await import("sharp");
  const readable = Object.values(sharp.format).filter((format) => format.input.buffer);
  return new Set(readable.flatMap((format) => format.input.fileSuffix ?? []));
}

/**
 * Lists a folder with one directory a class; a class's images may lie in directories of its own. Classes and files are in the
 * order of their names' code units, so that the same files give the same labels on every machine. Hidden files, and files
 * without an image's suffix, are passed over.
 * @param role what the folder is for, as messages name it: `private`.
 * @param flat what a folder without class directories means: an error, or one class of the given name.
 * @throws UserError for a missing folder, a file in its place, no images, images beside class directories, a class without images.
 */
export async function listImageTree(
  root: string,
  role: string,
  flat?: { readonly className: string },
): Promise<ImageTree> {
  const found = await stat(root).catch(() => undefined);
  if (found === undefined) throw new UserError(`${role} folder ${root} does not exist`);
  if (!found.isDirectory())
    throw new UserError(`${role} folder ${root} is a file; give the folder that holds the images`);
  const { folders, images } = await visible(root);
  if (folders.length === 0 && images.length === 0) {
    throw new UserError(`${role} folder ${root} holds no images and no class folders; read are ${await suffixList()}`);
  }
  if (images.length > 0) {
    if (flat === undefined) {
      throw new UserError(
        `${role} folder ${root} holds images outside of class folders (first: ${images[0]}); put them into one folder a class`,
      );
    }
    const all = await imagesBelow(root, "", new Set());
    return { root, classes: [flat.className], files: all.map((path) => ({ path, label: 0 })) };
  }
  const files: { path: string; label: number }[] = [];
  for (const [label, className] of folders.entries()) {
    const own = await imagesBelow(root, className, new Set());
    if (own.length === 0) {
      throw new UserError(
        `${role} folder ${root}: class '${className}' has no image; remove its folder or add images (read are ${await suffixList()})`,
      );
    }
    for (const path of own) files.push({ path, label });
  }
  return { root, classes: folders, files };
}

/** Images at any depth. `above` has the real paths of the directories on the way, so that a link to one of them ends. */
async function imagesBelow(root: string, under: string, above: ReadonlySet<string>): Promise<string[]> {
  const here = await realpath(join(root, under));
  if (above.has(here)) return [];
  const { folders, images } = await visible(join(root, under));
  const within = new Set([...above, here]);
  const list = images.map((name) => join(under, name));
  for (const name of folders) list.push(...(await imagesBelow(root, join(under, name), within)));
  return list;
}

/** Names of the directories and of the images in a directory, sorted; links count as what they lead to. */
async function visible(directory: string): Promise<{ folders: string[]; images: string[] }> {
  const folders: string[] = [];
  const images: string[] = [];
  const readable = await imageSuffixes();
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const kind = entry.isSymbolicLink() ? await stat(join(directory, entry.name)).catch(() => undefined) : entry;
    if (isDirectory(kind)) folders.push(entry.name);
    else if (kind?.isFile() && readable.has(extname(entry.name).toLowerCase())) images.push(entry.name);
  }
  return { folders: folders.sort(), images: images.sort() };
}

function isDirectory(kind: Pick<Dirent, "isDirectory"> | undefined): boolean {
  return kind?.isDirectory() === true;
}

async function suffixList(): Promise<string> {
  return [...(await imageSuffixes())].join(" ");
}
