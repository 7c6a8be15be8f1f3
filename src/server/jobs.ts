import { type ChildProcess, spawn } from "node:child_process";
import { UserError } from "../engine/errors.ts";

/** Studies that may run at once: each takes all cores. */
const MOST_JOBS = 2;
/** Lines of a run's output that are kept. */
const MOST_LINES = 200;
/** A line longer than this is cut. */
const MOST_LETTERS = 2000;
/** Milliseconds that a command has to clean up after it was told to end. */
const GRACE = 10_000;

/** The command that runs a study: a program and its first arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** What a program said and how it ended. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether its time was over. */
  readonly late: boolean;
}

/** What a command is given. */
export interface CallOptions {
  /** Time after which it is told to end. */
  readonly seconds: number;
  /** Tells it to end when it is aborted. */
  readonly signal?: AbortSignal;
}

/** Studies that this server started, each a child process of the command line. */
export interface Jobs {
  /** Starts a study. @throws UserError where it is running already, or too many are. */
  start(id: string, studyFile: string): void;
  /** Asks a study to save and stop. False where this server does not run it. */
  stop(id: string): boolean;
  isRunning(id: string): boolean;
  /** The last lines that it wrote; empty where this server never started it. */
  log(id: string): readonly string[];
  /** The studies that run. */
  running(): readonly string[];
  /** Runs a command to its end, or until it is told to end: then it may clean up first. */
  call(args: readonly string[], options: CallOptions): Promise<Ended>;
  /** Stops everything and waits until it has ended. */
  close(): Promise<void>;
}

interface Job {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<void>;
}

/** @param command called with an argument list, never through a shell */
export function openJobs(command: Command, runsDir: string): Jobs {
  const jobs = new Map<string, Job>();
  const calls = new Map<ChildProcess, Promise<unknown>>();
  const [program, ...first] = command;
  const isRunning = (id: string) => {
    const child = jobs.get(id)?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  };
  const launch = (args: readonly string[]) =>
    spawn(program, [...first, ...args], { shell: false, stdio: ["ignore", "pipe", "pipe"] });

  const running = () => [...jobs.keys()].filter(isRunning);

  return {
    isRunning,
    running,
    log: (id) => jobs.get(id)?.lines ?? [],
    start(id, studyFile) {
      if (isRunning(id)) throw new UserError(`${id} is running already`);
      if (running().length >= MOST_JOBS)
        throw new UserError(
          `${running().join(" and ")} are running, and each takes all cores; stop one, or wait until it ends`,
        );
      const child = launch(["run", studyFile, "--runs", runsDir, "--no-color"]);
      const lines: string[] = [];
      let rest = "";
      const take = (chunk: string) => {
        const parts = (rest + chunk).split("\n");
        rest = (parts.pop() ?? "").slice(0, MOST_LETTERS);
        lines.push(...parts.map((line) => line.slice(0, MOST_LETTERS)));
        lines.splice(0, lines.length - MOST_LINES);
      };
      for (const output of [child.stdout, child.stderr]) output?.setEncoding("utf8").on("data", take);
      const ended = new Promise<void>((resolve) => {
        child.once("error", (error) => {
          lines.push(`the run could not be started: ${error.message}`);
          resolve();
        });
        child.once("close", () => {
          if (rest !== "") lines.push(rest);
          resolve();
        });
      });
      jobs.set(id, { child, lines, ended });
    },
    stop(id) {
      return isRunning(id) && jobs.get(id)?.child.kill("SIGTERM") === true;
    },
    call(args, { seconds, signal }) {
      const child = launch(args);
      let late = false;
      const stop = () => endGently(child);
      const timer = setTimeout(() => {
        late = true;
        stop();
      }, seconds * 1000);
      signal?.addEventListener("abort", stop);
      if (signal?.aborted) stop();
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
      child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
      const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString("utf8");
      const ended = new Promise<Ended>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, stdout: text(out), stderr: text(err), late }));
      }).finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
        calls.delete(child);
      });
      calls.set(
        child,
        ended.catch(() => undefined),
      );
      return ended;
    },
    async close() {
      const called = [...calls.values()];
      for (const child of calls.keys()) endGently(child);
      for (const [id, { child }] of jobs) if (isRunning(id)) child.kill("SIGTERM");
      await Promise.all([...called, ...[...jobs.values()].map(({ ended }) => ended)]);
    },
  };
}

/** Tells a command to end; one that does not hear it is killed. */
function endGently(child: ChildProcess): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE);
  child.once("exit", () => clearTimeout(timer));
}
