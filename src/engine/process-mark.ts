import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/** A process, told apart from all that have had or will have its number. */
export interface ProcessMark {
  readonly pid: number;
  readonly host: string;
  /** When it started, as the system tells it; null where it doesn't. */
  readonly born: string | null;
  /** Where the process number counts: the boot of a machine, and the container on it. */
  readonly space: string | null;
}

/** The mark of this process. */
export async function ownMark(): Promise<ProcessMark> {
  return {
    pid: process.pid,
    host: hostname(),
    born: await birthOf(process.pid),
    space: await processSpace(),
  };
}

/** Whether a process of the own machine, and of the own container on it, still runs. */
export async function runsHere({ pid, born }: Pick<ProcessMark, "pid" | "born">): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, but belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  // The number may have gone to another process since: a container that starts anew gives the same small numbers again.
  return born === null || (await birthOf(pid)) === born;
}

/** Within what process numbers are unique; null where the system doesn't tell. Hosts of two containers may bear one name. */
async function processSpace(): Promise<string | null> {
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    return `${boot.trim()} ${await readlink("/proc/self/ns/pid")}`;
  } catch {
    return null;
  }
}

/** When a process started, in clock ticks since boot; null for a dead one, and where the system doesn't tell. */
async function birthOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The fields after the name, which stands in parentheses and may hold anything: the state comes first, the start 20th.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : (fields[19] ?? null);
}
