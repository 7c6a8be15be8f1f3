import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isTemporaryName, temporaryName } from "../engine/atomic-file.ts";
import { ownMark, type ProcessMark, runsHere } from "../engine/process-mark.ts";

// A decode that is killed cannot remove what it had written, which may be gigabytes of private pixels: its file says whose it is, and
// whoever opens the cache next removes it.

/**
 * Milliseconds without a change after which a temporary file counts as left behind whose writer cannot be asked for: one on another
 * machine, or in another container, that shares the folder. Who decodes writes every few seconds.
 */
const LIFE = 24 * 3600 * 1000;

/** A temporary name beside `path` that says which process writes the file. */
export async function signedTemporaryName(path: string): Promise<string> {
  const mark = await ownMark();
  return temporaryName(`${path}.${mark.pid}-${mark.born ?? ""}-${placeOf(mark)}`);
}

/** Where a process number counts, as a few letters: a host's own name may be long, and is nobody's business. */
const placeOf = ({ host, space }: ProcessMark) =>
  createHash("sha256")
    .update(JSON.stringify([host, space]))
    .digest("hex")
    .slice(0, 16);

const SIGNED = /\.(?<pid>\d+)-(?<born>\d*)-(?<place>[0-9a-f]{16})\.[0-9a-f-]{36}\.tmp$/;

/** Removes the temporary files in a folder whose writers are gone; those that a living process writes stay, whoever's they are. */
export async function removeLeftBehind(folder: string): Promise<void> {
  const found = (await readdir(folder).catch(() => [])).filter(isTemporaryName);
  if (found.length === 0) return;
  const here = placeOf(await ownMark());
  for (const name of found) {
    const path = join(folder, name);
    const { pid, born, place } = SIGNED.exec(name)?.groups ?? {};
    const left = place === here ? !(await runsHere({ pid: Number(pid), born: born || null })) : await isOld(path);
    // A file that is another user's is theirs to remove.
    if (left) await rm(path, { force: true }).catch(() => undefined);
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > LIFE;
}
