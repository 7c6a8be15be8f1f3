import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modules } from "../src/cli/modules.ts";
import { runCli } from "../src/cli/program.ts";
import { StudySchema } from "../src/study/study-schema.ts";
import { parseYamlConfig } from "../src/study/yaml-config.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const PAGES = [
  "docs/README.md",
  "docs/tutorial.md",
  "docs/method.md",
  "docs/numbers.md",
  "docs/comparison.md",
  "configs/papers/README.md",
];
const pages = await Promise.all(PAGES.map(async (page) => ({ page, text: await readFile(join(root, page), "utf8") })));

/** A command of a page. One that takes long, or names what only a reader has, stands in a block marked `check: options`. */
interface Command {
  readonly page: string;
  readonly line: string;
  readonly really: boolean;
}

const commands = pages.flatMap(({ page, text }): Command[] =>
  [...text.matchAll(/(<!-- check: options -->\s+)?^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, mark, block]) =>
    block!
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => ({ page, line, really: mark === undefined })),
  ),
);

async function call(args: readonly string[]) {
  const out: string[] = [];
  const stream = { write: (text: string) => out.push(text) };
  const io = { stdout: stream, stderr: stream, env: {}, signals: new EventEmitter(), exitNow: () => {} };
  return { code: await runCli(args, io, modules), out: out.join("") };
}

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "pages-"));
});
afterAll(() => rm(scratch, { recursive: true }));

test.each(pages)("$page links to files that exist", ({ page, text }) => {
  const links = [...text.matchAll(/(?<!!)\[[^\]]+\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path]) => path!);
  expect(links.filter((path) => !existsSync(join(root, dirname(page), path)))).toEqual([]);
});

describe("commands in the pages", () => {
  test("are all of this program", () => {
    expect(commands.length).toBeGreaterThanOrEqual(10);
    for (const { line } of commands) expect(line).toMatch(/^npx tldmi [a-z-]+/);
  });

  test.each(commands.filter(({ really }) => really))("$line ($page) does what it says", async ({ line }) => {
    const args = line.replace("npx tldmi ", "").split(" ");
    const here = args.map((arg) => (arg.endsWith(".yaml") ? join(root, arg) : arg));
    const { code, out } = await call([...here, "--runs", join(scratch, "runs")]);
    // Settings of a paper are refused until their paths are filled in, in words.
    if (line.includes("configs/papers")) expect([code, out]).toEqual([2, expect.stringContaining("/path/to/")]);
    else expect([code, out], out).toEqual([0, expect.stringMatching(/\S/)]);
  });

  test.each(commands.filter(({ really }) => !really))("$line ($page) has its options", async ({ line }) => {
    const words = line.replace("npx tldmi ", "").split(" ");
    const named = words.slice(0, words[0] === "data" ? 2 : 1);
    const { code, out } = await call([...named, "--help"]);
    expect(code).toBe(0);
    const arguments_ = words.slice(named.length).filter((word) => !word.startsWith("--"));
    expect((out.match(/<[a-z]+>/g) ?? []).length).toBeGreaterThanOrEqual(arguments_.length > 0 ? 1 : 0);
    for (const option of words.filter((word) => word.startsWith("--"))) expect(out).toContain(option);
    for (const example of arguments_.filter((word) => word.startsWith("examples/")))
      expect(existsSync(join(root, example))).toBe(true);
  });
});

test("the tutorial's study is valid", () => {
  const [, yaml] = /^```yaml\n([\s\S]*?)^```$/m.exec(pages[1]!.text)!;
  expect(parseYamlConfig(StudySchema, yaml!, "tutorial.md").gate?.max).toEqual({ "attack.top1": 0.3 });
});
