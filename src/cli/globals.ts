import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { DEVICES } from "../engine/device.ts";
import type { CliIo } from "./io.ts";
import type { Modules } from "./modules.ts";

/** What a command gets beside its own arguments. */
export interface Cli {
  readonly io: CliIo;
  readonly modules: Modules;
  /** Sets the code to leave with; 0 unless a command says otherwise. */
  leaveWith(code: number): void;
}

/** The program with the options that every command knows, before or after the command's name. */
export type Program = ReturnType<typeof newProgram>;

/** Options of every command. */
export type GlobalOptions = ReturnType<Program["opts"]>;

/** Makes the program without its commands. */
export function newProgram(io: CliIo, version: string) {
  return new Command("tldmi")
    .description("train image classifiers that are hard to invert, attack them, and measure what leaks")
    .version(version)
    .option("--json", "print the result to stdout as one JSON value", false)
    .option("--quiet", "no progress on stderr; warnings and errors stay", false)
    .option("--verbose", "also show step folders", false)
    .option("--no-color", "no colours (also: NO_COLOR)")
    .option("--runs <dir>", "folder of runs, finished steps and caches", "runs")
    .option("--threads <n>", "threads of the runtime; all cores by default", positiveWhole)
    .addOption(
      new Option("--device <name>", "where commands that compute do it (tldmi doctor says what is there)")
        .choices(DEVICES)
        .default("cpu" as const),
    )
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showHelpAfterError("(add --help for usage)")
    .exitOverride();
}

/** Reads a count on the command line. @throws InvalidArgumentError for anything but a positive whole number. */
export function positiveWhole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("expected a positive whole number.");
  return Number(text);
}
