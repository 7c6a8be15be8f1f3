import { CommanderError } from "commander";
import { pathMeant } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { isInterruption } from "../study/interrupted.ts";

/** How a command ended: 0 done, 1 a bug, 2 usage or config, 3 a gate failed, 4 a part failed, 130 interrupted. */
export const EXIT = { done: 0, bug: 1, usage: 2, gate: 3, partial: 4, interrupted: 130 } as const;

/** What to print for an error (nothing where it is printed already) and the code to leave with. */
export interface Ending {
  readonly message: string;
  readonly exitCode: number;
}

const ELSEWHERE =
  "name a folder that may be written (the option that names this path, or --runs for the folder of all runs)";

/** Errors of the file system that no code can help: the code to leave with, and what to do. */
const ENVIRONMENT: Readonly<Record<string, { exitCode: number; advice: string }>> = {
  ENOSPC: { exitCode: EXIT.partial, advice: "the disk is full; free some space and run the same command to go on" },
  EDQUOT: {
    exitCode: EXIT.partial,
    advice: "the disk quota is used up; free some space and run the same command to go on",
  },
  EACCES: { exitCode: EXIT.usage, advice: `permission denied; ${ELSEWHERE}` },
  EPERM: { exitCode: EXIT.usage, advice: `not permitted; ${ELSEWHERE}` },
  EROFS: { exitCode: EXIT.usage, advice: `the file system is read-only; ${ELSEWHERE}` },
  ENOTDIR: { exitCode: EXIT.usage, advice: `a file lies where a folder is needed; ${ELSEWHERE}` },
};

/** Turns whatever was thrown into a message for people and an exit code. */
export function endingOf(error: unknown): Ending {
  if (error instanceof UserError) {
    // Lines such as file:line:column start at the margin, where editors and CI find them.
    const margin = error.message.includes("\n") ? "\n" : " ";
    return { message: `error:${margin}${error.message}`, exitCode: error.exitCode };
  }
  if (isInterruption(error)) {
    return {
      message: "interrupted: what was finished is kept; run the same command to resume",
      exitCode: EXIT.interrupted,
    };
  }
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return { message: "", exitCode: error.exitCode === 0 ? EXIT.done : EXIT.usage };
  const code = codeOf(error);
  const known = Object.hasOwn(ENVIRONMENT, code) ? ENVIRONMENT[code] : undefined;
  if (known !== undefined) {
    const where = error instanceof Error && "path" in error ? `${pathMeant(String(error.path))}: ` : "";
    return { message: `error: ${where}${known.advice}`, exitCode: known.exitCode };
  }
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    message: `${what}\n\nthis is a bug in tl-dmi: please report it with the text above and the study file`,
    exitCode: EXIT.bug,
  };
}

/** The system's name of an error. A folder that cannot be made since a file bears its name has one of its own. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error && "code" in error)) return "";
  const isFolder = "syscall" in error && error.syscall === "mkdir";
  return error.code === "EEXIST" && isFolder ? "ENOTDIR" : String(error.code);
}
