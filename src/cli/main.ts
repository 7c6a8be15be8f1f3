#!/usr/bin/env node
import { EXIT, endingOf } from "./errors.ts";
import { modules } from "./modules.ts";
import { runCli } from "./program.ts";

const { stdout, stderr, env } = process;

// A reader that closed its end, as `head` does, has had all it wanted.
stdout.on("error", (error: Error) => process.exit("code" in error && error.code === "EPIPE" ? EXIT.done : EXIT.bug));
process.on("uncaughtException", (error) => {
  const { message, exitCode } = endingOf(error);
  stderr.write(`${message}\n`);
  process.exit(exitCode);
});

const exitNow = (code: number) => process.exit(code);
const exitCode = await runCli(process.argv.slice(2), { stdout, stderr, env, signals: process, exitNow }, modules);
// Sessions of the runtime keep threads that would hold the process; the empty write waits until stdout is flushed.
stdout.write("", () => process.exit(exitCode));
