import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** The built program, running. */
export interface Running {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Waits until stderr has what is wanted, then goes on. */
  says(wanted: RegExp): Promise<void>;
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/**
 * Starts `tldmi` from `dist/`.
 * @param within a program with its first arguments that runs another one in its stead
 */
export function tldmi(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly within?: readonly [program: string, ...args: string[]];
  } = {},
): Running {
  const { within, ...rest } = options;
  const [program, ...first] = [...(within ?? []), process.execPath];
  return running(spawn(program!, [...first, MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"], ...rest }));
}

/** Watches a process that was started with its output piped. */
export function running(child: ChildProcess): Running {
  let out = "";
  let err = "";
  const heard = new Set<() => void>();
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    for (const listener of heard) listener();
  });
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    ended,
    says: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!wanted.test(err)) return;
          heard.delete(look);
          resolve();
        };
        heard.add(look);
        void ended.then((code) => {
          look();
          reject(new Error(`it ended (${code}) without saying ${wanted}:\n${err}`));
        });
        look();
      }),
  };
}
