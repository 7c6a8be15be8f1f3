import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A name in the folder of `path` under which a file may be built before it is renamed to `path`; no two calls give the same. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
}

/**
 * Writes a file so that a reader sees the old content or the new one, never a part: the data goes to a temporary name in the
 * same folder, is flushed to disk, then renamed. Creates the parent folder. After a failure no temporary file is left.
 * @throws the file system's own error (no space, no permission, `path` is a folder).
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** What `temporaryName` gives. */
const TEMPORARY = /^\.(?<name>.+)\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** Whether a file's name is one that `temporaryName` gives. */
export const isTemporaryName = (name: string): boolean => TEMPORARY.test(name);

/** The path that a temporary name was made for; any other path as it is. */
export function pathMeant(path: string): string {
  const name = TEMPORARY.exec(basename(path))?.groups?.name;
  return name === undefined ? path : join(dirname(path), name);
}

/** Removes the temporary files that a killed process left in a folder. Only for a folder to which nobody else is writing. */
export async function removeTemporaryFiles(dir: string): Promise<void> {
  const names = await readdir(dir);
  await Promise.all(names.filter(isTemporaryName).map((name) => rm(join(dir, name), { force: true })));
}
