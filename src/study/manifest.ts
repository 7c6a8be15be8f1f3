import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { atOnce } from "../engine/at-once.ts";

/** One file of a folder; `path` is relative to it, with `/` between names. */
export const FileRecord = z.strictObject({
  path: z.string(),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type FileRecord = z.output<typeof FileRecord>;

/**
 * The files of a folder and its sub-folders with their sizes and SHA-256, sorted by path.
 * @param except names of files and folders directly in `dir` that are left out
 */
export async function hashFolder(dir: string, except: readonly string[] = []): Promise<FileRecord[]> {
  return atOnce(await listFiles(dir, except), async (path) => {
    const file = join(dir, path);
    return { path, bytes: (await stat(file)).size, sha256: await sha256OfFile(file) };
  });
}

/** What differs between a folder and its manifest: a line a file. Looks at sizes alone unless `hashes` is set. */
export async function manifestFaults(dir: string, files: readonly FileRecord[], hashes = false): Promise<string[]> {
  const found = await atOnce(files, async ({ path, bytes, sha256 }) => {
    const file = join(dir, path);
    const size = await stat(file).then(
      (entry) => (entry.isFile() ? entry.size : undefined),
      () => undefined,
    );
    if (size === undefined) return `${path} is missing`;
    if (size !== bytes) return `${path} has ${size} bytes instead of ${bytes}`;
    if (hashes && (await sha256OfFile(file)) !== sha256) return `${path} has other content than was written`;
    return undefined;
  });
  return found.filter((fault) => fault !== undefined);
}

/** The SHA-256 of a file as 64 hexadecimal digits, read in pieces. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

async function listFiles(dir: string, except: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (except.includes(entry.name)) continue;
    if (entry.isDirectory()) {
      const inner = await listFiles(join(dir, entry.name), []);
      found.push(...inner.map((path) => `${entry.name}/${path}`));
    } else if (entry.isFile()) {
      found.push(entry.name);
    }
  }
  return found.sort();
}
