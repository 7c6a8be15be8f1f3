import { randomUUID } from "node:crypto";
import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { ownMark, type ProcessMark, runsHere } from "../engine/process-mark.ts";

const Owner = z.object({
  pid: z.int().positive(),
  host: z.string(),
  born: z.string().nullable(),
  space: z.string().nullable().default(null),
  /** Tells two locks of one process apart. */
  token: z.string().default(""),
});
type Owner = z.output<typeof Owner>;

/** Milliseconds between two signs of life of a lock: its file gets a new time. */
const BEAT = 15_000;
/**
 * Milliseconds without a sign of life after which a lock counts as left behind, whoever made it. File systems over a network may
 * show a change a minute late.
 */
export const LOCK_LIFE = 120_000;
/** Milliseconds between two looks at a lock that is waited for. */
const LOOK = 500;

/** A lock that this process has. */
export interface Lock {
  /** Aborted where another process has taken the lock over, as happens after a long sleep of this machine. */
  readonly lost: AbortSignal;
  /** Whether the file is still this lock's. */
  isOurs(): Promise<boolean>;
  /** Removes the file, if it is still this lock's. */
  free(): Promise<void>;
}

/**
 * Takes the lock file at `path` for this process. A lock whose process on this machine is gone is taken over; of a process on another
 * machine that cannot be known at once.
 * @param what the work that is locked, as messages name it
 * @throws UserError where a running process, or one of another machine, has the lock.
 */
export async function takeLock(path: string, what: string): Promise<Lock> {
  const taken = await tryLock(path);
  if ("free" in taken) return taken;
  const { pid, host } = taken.owner;
  throw new UserError(
    `${what} is being computed by process ${pid} on ${host}; wait until it ends, or, if it is gone for sure, delete ${path}`,
  );
}

/**
 * Takes the lock file at `path`, waiting for whoever has it. A lock that shows no sign of life for `life` milliseconds is taken
 * over. Only changes are looked for, timed by this process's own monotonic clock: no clock of another machine matters, and none
 * that jumps.
 * @param options.waiting told once, where another process has the lock
 * @throws the signal's reason when it is aborted.
 */
export async function waitForLock(
  path: string,
  options: {
    readonly signal: AbortSignal;
    waiting(owner: { pid: number; host: string }): void;
    readonly life?: number;
  },
): Promise<Lock> {
  const { signal, waiting, life = LOCK_LIFE } = options;
  let seen: { readonly sign: string; readonly since: number } | undefined;
  for (;;) {
    const taken = await tryLock(path);
    if ("free" in taken) return taken;
    if (seen === undefined) waiting(taken.owner);
    const sign = `${taken.text} ${await timeOf(path)}`;
    if (seen?.sign !== sign) seen = { sign, since: performance.now() };
    else if (performance.now() - seen.since > life) await breakLock(path, taken.text);
    await setTimeout(LOOK, undefined, { signal });
  }
}

interface HeldLock {
  readonly text: string;
  /** Undefined where the process died between making the file and writing to it. */
  readonly owner: Owner | undefined;
}

/** The lock, or who has it. */
async function tryLock(path: string): Promise<Lock | { readonly text: string; readonly owner: Owner }> {
  const mine: Owner = { ...(await ownMark()), token: randomUUID() };
  const text = JSON.stringify(mine);
  for (;;) {
    try {
      await writeFile(path, text, { flag: "wx" });
      return held(path, text);
    } catch (error) {
      // A disk that is full makes the file and then cannot fill it.
      if (!hasCode(error, "EEXIST")) {
        if (hasCode(error, "ENOSPC") || hasCode(error, "EDQUOT")) await rm(path, { force: true });
        throw error;
      }
    }
    const found = await readLock(path);
    if (found === undefined) continue;
    if (found.owner !== undefined && (await isHeld(found.owner, mine))) return { text: found.text, owner: found.owner };
    await breakLock(path, found.text);
  }
}

/** Keeps showing signs of life of a lock until it is freed or lost. */
function held(path: string, text: string): Lock {
  const lost = new AbortController();
  const isOurs = async () => (await readFile(path, "utf8").catch(() => "")) === text;
  const beat = async () => {
    const now = new Date();
    // A beat that fails for a moment is no loss: the file says whose it is.
    if (await isOurs()) await utimes(path, now, now).catch(() => undefined);
    else if ((await readLock(path).catch(() => undefined))?.text !== text) lost.abort();
  };
  const beating = setInterval(() => void beat(), BEAT);
  beating.unref();
  return {
    lost: lost.signal,
    isOurs,
    async free() {
      clearInterval(beating);
      if (await isOurs()) await rm(path, { force: true });
    },
  };
}

/** The time of a file's last change as its file system tells it; empty where it is gone. */
async function timeOf(path: string): Promise<string> {
  return stat(path).then(
    ({ mtimeMs }) => String(mtimeMs),
    () => "",
  );
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

/** Of a process elsewhere nobody here knows whether it runs. */
async function isHeld(owner: ProcessMark, mine: ProcessMark): Promise<boolean> {
  const elsewhere = owner.host !== mine.host || (owner.space !== null && owner.space !== mine.space);
  return elsewhere || runsHere(owner);
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
