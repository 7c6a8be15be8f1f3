import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";

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
  const paths = await listFiles(dir, except);
  const records: FileRecord[] = [];
  // One after the other: artefacts are few and large, and reading many at once only makes the disk seek.
  for (const path of paths) {
    const file = join(dir, path);
    records.push({ path, bytes: (await stat(file)).size, sha256: await sha256OfFile(file) });
  }
  return records;
}

/** What differs between a folder and its manifest: a line a file. Looks at sizes alone unless `hashes` is set. */
export async function manifestFaults(dir: string, files: readonly FileRecord[], hashes = false): Promise<string[]> {
  const faults: string[] = [];
  for (const { path, bytes, sha256 } of files) {
    const file = join(dir, path);
    const size = await stat(file).then(
      (found) => (found.isFile() ? found.size : undefined),
      () => undefined,
    );
    if (size === undefined) faults.push(`${path} is missing`);
    else if (size !== bytes) faults.push(`${path} has ${size} bytes instead of ${bytes}`);
    else if (hashes && (await sha256OfFile(file)) !== sha256) faults.push(`${path} has other content than was written`);
  }
  return faults;
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
