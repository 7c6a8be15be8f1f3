import { EventEmitter } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Modules, modules } from "../src/cli/modules.ts";
import { runCli, wholeProgram } from "../src/cli/program.ts";
import { commandsIn, readPages } from "./support/documented-commands.ts";
import { answerAll, type ReaderFolder, readerFolder } from "./support/reader-folder.ts";
import { standIn } from "./support/stand-ins.ts";
import { tldmi } from "./support/tldmi-process.ts";

// What pages tell their readers to call is called, in a folder such as theirs, with nothing made up but the size of things. Commands that
// are the same once small things stand in them are called once.

const root = fileURLToPath(new URL("../", import.meta.url));

const commands = (await readPages()).flatMap(({ page, text }) => commandsIn(page, text));
const whole = commands.filter((command) => command.whole);
const words = new Set(whole.flatMap(({ args }) => args));
/** What no page calls as a whole, but one names with its arguments. */
const spoken = commands.filter(({ args: [name, ...more] }) => !words.has(name!) && more.length > 0);
const queued = whole.filter(({ args }) => args.includes("--queue"));
/** Settings of papers are refused until their paths are filled in: test/documented-commands.test.ts. */
const refused = whole.filter(({ args }) => args.some((arg) => arg.startsWith("configs/papers/")));
const run = [...whole, ...spoken].filter((command) => !queued.includes(command) && !refused.includes(command));
const small = new Map(run.map(({ args }) => standIn(args)).map((args) => [args.join(" "), args]));

let reader: ReaderFolder;
const before = process.cwd();
beforeAll(async () => {
  reader = await readerFolder();
  process.chdir(reader.root);
});
afterAll(async () => {
  process.chdir(before);
  await reader?.remove();
});

/** The real ones, but the demo's study is the small one, and the page is the built one. */
const here: Modules = {
  ...modules,
  pipeline: async () => {
    const { runStudy, planStudy } = await modules.pipeline();
    return {
      planStudy,
      runStudy: ({ shipped, ...options }) =>
        runStudy({ ...options, ...(shipped !== undefined && { studyFile: "study.yaml" }) }),
    };
  },
  server: async () => {
    const { serve } = await modules.server();
    return { serve: (options) => serve({ ...options, webDir: join(root, "dist/web") }) };
  },
};

/** Calls the program; what would serve until Ctrl-C gets it at once. */
async function call(args: readonly string[]) {
  const said: string[] = [];
  const signals = new EventEmitter();
  const hear = (text: string) => {
    said.push(text);
    if (text.startsWith("Ctrl-C ends it")) setImmediate(() => signals.emit("SIGINT"));
  };
  const io = { stdout: { write: hear }, stderr: { write: hear }, env: {}, signals, exitNow: () => {} };
  return { code: await runCli(args, io, here), said: said.join("") };
}

/** Calls the built program: processes of workers are its own. */
async function callBuilt(args: readonly string[]) {
  const running = tldmi(args);
  return { code: await running.ended, said: running.stdout() + running.stderr() };
}

test.each([...small])("tldmi %s", async (_, told) => {
  const folders: Readonly<Record<string, string>> = {
    STUDY: reader.studyDir,
    UNDEFENDED: reader.cell("none"),
    DEFENDED: reader.cell("tl-dmi"),
    artifacts: join(root, "artifacts"),
  };
  const args = told.map((word) => folders[word] ?? word);
  const spread = args.includes("--workers");
  // One a process: another test is at work on the next core.
  if (!args.includes("--threads")) args.push("--threads", spread ? "2" : "1");
  if (args.includes("score")) await answerAll("pack", "answers.json");
  const { code, said } = await (spread ? callBuilt : call)(args);
  // A small study may not keep a page's bounds.
  expect(args.includes("gate") ? [0, 3] : [0], said).toContain(code);
  expect(said).toMatch(/\S/);
});

test("those with a queue are called beside a server, by test/cluster.test.ts", async () => {
  const names = queued.flatMap(({ args }) => args.filter((arg) => arg === "grid" || arg === "worker"));
  expect([...new Set(names)].sort()).toEqual(["grid", "worker"]);
  expect(names).toHaveLength(queued.length);
  const text = await readFile(join(root, "test/cluster.test.ts"), "utf8");
  expect(text).toContain('tldmi([...shared, "worker", ...queue])');
  expect(text).toContain('tldmi([...shared, "grid", world.studyFile, ...queue])');
});

test("no command of the program is left out", () => {
  const stream = { write: () => {} };
  const io = { stdout: stream, stderr: stream, env: {}, signals: new EventEmitter(), exitNow: () => {} };
  const names = (command: CommandUnknownOpts): string[] =>
    command.commands.flatMap((child) => [child.name(), ...names(child)]);
  const called = new Set([...run, ...queued].flatMap(({ args }) => args));
  const program = wholeProgram({ io, modules, leaveWith: () => {} });
  expect(names(program).filter((name) => !called.has(name))).toEqual([]);
});
