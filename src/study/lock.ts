import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";

const Owner = z.object({ pid: z.int().positive(), host: z.string(), born: z.string().nullable() });
type Owner = z.output<typeof Owner>;

/**
 * Takes the lock file at `path` for this process and gives the function that frees it again. A lock whose process on this
 * machine is gone is taken over; of a process on another machine that cannot be known.
 * @param what the work that is locked, as messages name it
 * @throws UserError where a running process, or one of another machine, has the lock.
 */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  const mine: Owner = { pid: process.pid, host: hostname(), born: await birthOf(process.pid) };
  for (;;) {
    try {
      await writeFile(path, JSON.stringify(mine), { flag: "wx" });
      return () => rm(path, { force: true });
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    const held = await readLock(path);
    if (held === undefined) continue;
    if (held.owner !== undefined && (await isHeld(held.owner))) {
      const { pid, host } = held.owner;
      throw new UserError(
        `${what} is being computed by process ${pid} on ${host}; wait until it ends, or, if it is gone for sure, delete ${path}`,
      );
    }
    await breakLock(path, held.text);
  }
}

interface HeldLock {
  readonly text: string;
  /** Undefined where the process died between making the file and writing to it. */
  readonly owner: Owner | undefined;
}

async function readLock(path: string): Promise<HeldLock | undefined> {
  let text = "";
  // A lock that was made this instant may not have its text yet.
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    }
    const owner = parseOwner(text);
    if (owner !== undefined) return { text, owner };
    await setTimeout(20);
  }
  return { text, owner: undefined };
}

function parseOwner(text: string): Owner | undefined {
  try {
    return Owner.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function isHeld({ pid, host, born }: Owner): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, but belongs to somebody else.
    return hasCode(error, "EPERM");
  }
  // The number may have gone to another process since: a container that starts anew gives the same small numbers again.
  return born === null || (await birthOf(pid)) === born;
}

/** When a process started, in clock ticks since boot; null for a dead one, and where the system doesn't tell. */
async function birthOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The fields after the name, which stands in parentheses and may hold anything: the state comes first, the start 20th.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : (fields[19] ?? null);
}

/** Milliseconds after which a guard counts as left behind: what it guards takes a few. */
const GUARD_LIFE = 10_000;

/**
 * Removes the lock with this stale text, if it is still there. One process at a time does so, under a guard file: otherwise a slow one
 * could remove the new lock of a fast one.
 */
async function breakLock(path: string, staleText: string): Promise<void> {
  const guard = `${path}.breaking`;
  try {
    await writeFile(guard, "", { flag: "wx" });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    const made = await stat(guard).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > GUARD_LIFE) await rm(guard, { force: true });
    else await setTimeout(20);
    return;
  }
  try {
    if ((await readLock(path))?.text === staleText) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
