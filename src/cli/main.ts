#!/usr/bin/env node
import { endingOf } from "./errors.ts";
import { leavingAfter } from "./leave.ts";
import { modules } from "./modules.ts";
import { runCli } from "./program.ts";

const { stdout, stderr, env } = process;

const leave = leavingAfter(stdout, (code) => process.exit(code));
process.on("uncaughtException", (error) => {
  const { message, exitCode } = endingOf(error);
  stderr.write(`${message}\n`);
  process.exit(exitCode);
});

const exitNow = (code: number) => process.exit(code);
const exitCode = await runCli(process.argv.slice(2), { stdout, stderr, env, signals: process, exitNow }, modules);
// Sessions of the runtime keep threads that would hold the process.
leave(exitCode);
