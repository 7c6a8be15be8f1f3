import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { readPages } from "./support/documented-commands.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const scripts: Readonly<Record<string, string>> = packageJson.scripts;
const pages = await readPages();

/** The words after a program's name wherever a page has it, to the end of the line, of the code or of the command. */
const callsOf = (program: string) =>
  pages.flatMap(({ page, text }) =>
    [...text.matchAll(new RegExp(`\\b${program}((?: [^\\s\`#&|;)]+)*)`, "g"))].map(([, words]) => ({
      page,
      args: words!.split(" ").slice(1),
    })),
  );

/** The sources of what a script of the package starts, as one text. */
async function sourcesOf(script: string): Promise<string> {
  const started = scripts[script]!;
  const files = started.includes("bench/main.js")
    ? ["bench/main.ts"]
    : [...started.matchAll(/scripts\/[\w/-]+\.mjs/g)].map(([path]) => path);
  return (await Promise.all(files.map((path) => readFile(root + path, "utf8")))).join("\n");
}

test("what `npm run` is told to run is a script, knows its options, and finds its files", async () => {
  const calls = callsOf("npm run");
  expect(calls.length).toBeGreaterThan(40);
  for (const { page, args } of calls) {
    const [script, dashes, ...more] = args;
    expect(Object.keys(scripts), page).toContain(script);
    if (dashes !== "--") continue;
    const sources = await sourcesOf(script!);
    for (const [, option] of more.join("\n").matchAll(/^--([\w-]+)/gm))
      expect(sources, `${page}: ${args.join(" ")}`).toMatch(new RegExp(`"--${option}"|^ +"?${option}"?: `, "m"));
    const own = more.filter((arg) => /^(?:examples|studies)\//.test(arg) && !/[A-Z]{3}/.test(arg));
    expect(own.filter((path) => !existsSync(root + path))).toEqual([]);
  }
});

test("what `npx vitest run` and `npm test` are told to run is there", () => {
  expect(Object.keys(scripts)).toContain("test");
  const paths = callsOf("vitest run").flatMap(({ args }) => args.filter((arg) => /^(?:src|test)\//.test(arg)));
  expect(paths.length).toBeGreaterThan(0);
  expect(paths.filter((path) => !existsSync(root + path))).toEqual([]);
});

test("every script runs files and scripts that exist", () => {
  for (const [name, line] of Object.entries(scripts)) {
    const files = [
      ...line.matchAll(/\b(?:scripts|bench)\/[\w/-]+\.(?:mjs|json)|[\w.]+\.config\.ts|tsconfig[\w.]*\.json/g),
    ];
    const missing = files.map(([path]) => path).filter((path) => !existsSync(root + path));
    expect(missing, name).toEqual([]);
    for (const [, other] of line.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts), name).toContain(other);
  }
});
