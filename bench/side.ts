import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { z } from "zod";
import { Check, Peak, Times } from "./protocol.ts";

/** One side of a case at work, in a process of its own. */
export interface Side {
  readonly check: Check;
  /** Milliseconds of each of `count` runs. */
  run(count: number): Promise<readonly number[]>;
  /** Ends the process and gives its peak resident memory in bytes; a second call gives the same. */
  end(): Promise<number>;
}

/** What is started, beside what it is in words. */
export interface Command {
  readonly what: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that did not answer; `reason` is the last line that it wrote about it. */
export class SideError extends Error {
  override readonly name = "SideError";
  readonly reason: string;
  constructor(what: string, reason: string) {
    super(`${what}: ${reason}`);
    this.reason = reason;
  }
}

/** Longer than any case needs that is not stuck. */
const PATIENCE_MS = 5 * 60_000;

/** Starts a side and waits for its check. @throws SideError where the process ends or says something else. */
async function startSide(command: Command): Promise<Side> {
  const child = spawn(command.file, [...command.args], { env: { ...process.env, ...command.env } });
  const { ask, ended } = conversation(child, command.what);
  const check = await ask(Check);
  let peak: Promise<number> | undefined;
  return {
    check,
    async run(count) {
      child.stdin.write(`${JSON.stringify({ run: count })}\n`);
      return (await ask(Times)).ms;
    },
    end() {
      child.stdin.end();
      // A process that only says that it is over still takes time to go, which the next measurement must not share.
      peak ??= ask(Peak).then(async ({ peakBytes }) => {
        await ended;
        return peakBytes;
      });
      return peak;
    },
  };
}

/** Starts a side, uses it, and ends it whatever happens. */
export async function withSide<T>(command: Command, use: (side: Side) => Promise<T>): Promise<T> {
  const side = await startSide(command);
  try {
    return await use(side);
  } finally {
    // What went wrong before says more than a process that does not end well.
    await side.end().catch(() => undefined);
  }
}

/** `ask` waits for the process's next line of the given form, `ended` for the process's end. */
function conversation(child: ChildProcessWithoutNullStreams, what: string) {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-20_000);
  });
  const unstarted = new Promise<{ done: true }>((resolve) => {
    child.once("error", (error) => {
      complaint = error.message;
      resolve({ done: true });
    });
  });
  child.stdin.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()).once("error", () => resolve()));
  const ask = async <T>(form: z.ZodType<T>): Promise<T> => {
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    const next = await Promise.race([lines.next(), unstarted]);
    clearTimeout(timer);
    if (next.done) {
      await ended;
      throw new SideError(what, lastLine(complaint) ?? `ended with ${child.signalCode ?? `code ${child.exitCode}`}`);
    }
    try {
      return form.parse(JSON.parse(next.value));
    } catch {
      child.kill("SIGKILL");
      throw new SideError(what, `said "${next.value.slice(0, 200)}"`);
    }
  };
  return { ask, ended };
}

/** Python's and Node's traces end with, or hold, the line that names the error. */
function lastLine(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (lines.findLast((line) => /^\S*(Error|Exception|Unsupported)\b.*:/.test(line)) ?? lines.at(-1))
    ?.trim()
    .slice(0, 300);
}
