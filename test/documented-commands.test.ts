import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modules } from "../src/cli/modules.ts";
import { runCli, wholeProgram } from "../src/cli/program.ts";
import { commandsIn, type DocumentedCommand, readPages } from "./support/documented-commands.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const pages = await readPages();
const commands = pages.flatMap(({ page, text }) => commandsIn(page, text));
const called = commands.filter(({ whole }) => whole);
const text = ({ page, args }: DocumentedCommand) => `tldmi ${args.join(" ")} (${page})`;

function ioTo(said: string[]) {
  const stream = { write: (text: string) => said.push(text) };
  return { stdout: stream, stderr: stream, env: {}, signals: new EventEmitter(), exitNow: () => {} };
}

/** The leaves of the program's commands. */
const leaves = (command: CommandUnknownOpts): readonly CommandUnknownOpts[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

/** Reads a command line as the program does, but does nothing; gives the command's name. @throws CommanderError for what it does not know */
async function parsed(args: readonly string[]): Promise<string> {
  const program = wholeProgram({ io: ioTo([]), modules, leaveWith: () => {} });
  let reached = "";
  for (const leaf of leaves(program)) {
    const above = leaf.parent === program ? "" : `${leaf.parent!.name()} `;
    leaf.action(() => {
      reached = `${above}${leaf.name()}`;
    });
  }
  await program.parseAsync(args, { from: "user" });
  return reached;
}

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "documented-"));
});
afterAll(() => rm(scratch, { recursive: true }));

test("commands are found in every kind of page, in blocks, tables and sentences", () => {
  const found = new Set(called.map(({ page }) => page));
  for (const page of ["README.md", "docs/ci.md", "docs/howto/own-data.md", "examples/README.md", "studies/README.md"])
    expect([...found]).toContain(page);
  expect(called.length).toBeGreaterThan(50);
});

test("a command ends where the shell goes on with another, or a remark begins", () => {
  const page =
    "a `npx tldmi ls attacks` b\n  npx tldmi run s.yaml --json > r.json   # remark\nfor s in 1; do npx tldmi fisher a/$s; done\n`tldmi gate RUN …`";
  expect(commandsIn("p.md", page).map(({ args, whole }) => [args.join(" "), whole])).toEqual([
    ["ls attacks", true],
    ["run s.yaml --json", true],
    ["fisher a/$s", true],
    ["gate RUN", false],
  ]);
});

test.each(called.map((command) => [text(command), command] as const))(
  "%s is what the program takes",
  async (_, { args }) => {
    expect(await parsed(args)).not.toBe("");
    // Paths into the project lead somewhere; words in capitals are the reader's to fill in.
    const own = args.filter((arg) => /^(examples|studies|configs|artifacts)\//.test(arg) && !/[A-Z]{3}/.test(arg));
    expect(own.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  },
);

test("what pages speak of are commands and options of the program", async () => {
  for (const command of commands.filter(({ whole }) => !whole)) {
    const named = command.args.slice(0, ["data", "user-study"].includes(command.args[0]!) ? 2 : 1);
    const said: string[] = [];
    expect(await runCli([...named, "--help"], ioTo(said), modules), text(command)).toBe(0);
    for (const option of command.args.filter((arg) => arg.startsWith("--")))
      expect(`${said.join("")} --runs --threads --json`, text(command)).toContain(option);
  }
});

/** Which of the commands are done in moments, and need nothing that only a reader has. */
function isShort([command, of = "", ...more]: readonly string[]): boolean {
  if (more.includes("--estimate")) return false;
  if (command === "validate") return of.endsWith(".yaml") && existsSync(join(root, of));
  return command === "ls" || command === "doctor" || (command === "verify" && of === "artifacts");
}
const short = new Map(called.filter(({ args }) => isShort(args)).map((one) => [one.args.join(" "), one.args]));

test.each([...short])("tldmi %s does what it says", async (line, args) => {
  const said: string[] = [];
  const here = args.map((arg) => (/^(\S+\.yaml|artifacts)$/.test(arg) ? join(root, arg) : arg));
  const code = await runCli([...here, "--runs", join(scratch, "runs")], ioTo(said), modules);
  // Settings of a paper are refused until their paths are filled in, in words.
  if (line.includes("configs/papers")) expect([code, said.join("")]).toEqual([2, expect.stringContaining("/path/to/")]);
  else expect([code, said.join("")]).toEqual([0, expect.stringMatching(/\S/)]);
});
