import { constants } from "node:fs";
import { type FileHandle, open, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Largest file that is read into memory as a whole, in bytes: what a run writes is far smaller, but for its event log. */
const MOST_BYTES = 64 * 2 ** 20;

/** A folder that nothing read through this object can leave. Names are given one by one, never as a path. */
export interface Confined {
  /** The folder itself, without links. */
  readonly root: string;
  /**
   * The whole path of what the names lead to. Undefined where there is nothing, where a name is no plain name, or where any of them is
   * a symbolic link: a link could lead anywhere.
   */
  path(...names: readonly string[]): Promise<string | undefined>;
  /** A file's bytes; undefined where `path` is, where it is no regular file, or is too large. */
  read(names: readonly string[]): Promise<Buffer | undefined>;
  /** A file's bytes from `from` on, `most` of them at most, however large it is; undefined where `path` is or it is no regular file. */
  piece(names: readonly string[], from: number, most: number): Promise<Buffer | undefined>;
  /** Bytes of a file; undefined where `path` is or it is no regular file. */
  size(...names: readonly string[]): Promise<number | undefined>;
  text(...names: readonly string[]): Promise<string | undefined>;
  /** Names of the real folders in a folder, sorted; none where it is not there. */
  folders(...names: readonly string[]): Promise<readonly string[]>;
  /** Names of the real files in a folder, sorted; none where it is not there. */
  files(...names: readonly string[]): Promise<readonly string[]>;
}

/** Whether a text is one name: no separator, no way up, nothing hidden, nothing that ends a C string. */
export function isPlainName(name: string): boolean {
  return name !== "" && name.length <= 255 && !name.startsWith(".") && !/[/\\\0]/.test(name);
}

/** Opens a folder for reading. @param dir must exist */
export async function confinedTo(dir: string): Promise<Confined> {
  const root = await realpath(dir);

  async function path(...names: readonly string[]): Promise<string | undefined> {
    if (!names.every(isPlainName)) return undefined;
    const wanted = join(root, ...names);
    const found = await realpath(wanted).catch(() => undefined);
    return found === wanted ? found : undefined;
  }

  async function withFile<T>(
    names: readonly string[],
    work: (handle: FileHandle, size: number) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const file = await path(...names);
    if (file === undefined) return undefined;
    // A link put here since `path` looked is refused too; a pipe must not hold the server.
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
      () => undefined,
    );
    try {
      const stat = await handle?.stat();
      if (handle === undefined || stat === undefined || !stat.isFile()) return undefined;
      return await work(handle, stat.size);
    } finally {
      await handle?.close();
    }
  }

  const read = (names: readonly string[]) =>
    withFile(names, async (handle, size) => (size > MOST_BYTES ? undefined : bytesAt(handle, 0, size)));

  const entries = async (names: readonly string[]) => {
    const dir = await path(...names);
    return dir === undefined ? [] : readdir(dir, { withFileTypes: true }).catch(() => []);
  };
  const plain = (found: readonly { readonly name: string }[]) =>
    found
      .map(({ name }) => name)
      .filter(isPlainName)
      .sort();

  return {
    root,
    path,
    read,
    piece: (names, from, most) => withFile(names, (handle, size) => bytesAt(handle, from, Math.min(size - from, most))),
    size: (...names) => withFile(names, async (_, size) => size),
    text: async (...names) => (await read(names))?.toString("utf8"),
    folders: async (...names) => plain((await entries(names)).filter((entry) => entry.isDirectory())),
    files: async (...names) => plain((await entries(names)).filter((entry) => entry.isFile())),
  };
}

async function bytesAt(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, from);
  return buffer.subarray(0, bytesRead);
}
