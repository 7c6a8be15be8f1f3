import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../src/engine/errors.ts";
import { READERS, SOURCES } from "./support/hostile-sources.ts";
import { MUTATIONS, mutated } from "./support/mutate.ts";

/** Mutated files of each of eight formats: 520 in all. */
const FILES = 65;
const SECONDS = 5;
const GIBIBYTES = 2;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostile-files-"));
});
afterAll(() => rm(folder, { recursive: true }));

test.each(Object.keys(SOURCES))(`${FILES} mutated copies of %s: read, or refused in one line, soon`, async (name) => {
  const sources = await SOURCES[name]!();
  const others = (await Promise.all(Object.values(SOURCES).map((make) => make()))).flat();
  const inside = join(folder, name);
  await mkdir(inside);
  const path = join(inside, name);
  for (const source of sources) {
    await writeFile(path, source);
    await READERS[name]!(path);
  }
  const refused = new Set<string>();
  for (let turn = 0; turn < FILES; turn++) {
    const other = turn % 2 === 0 ? sources.at(-1)! : others[turn % others.length]!;
    const mutation = Object.keys(MUTATIONS)[turn % 5]!;
    const bytes = mutated(sources[Math.floor(turn / 5) % sources.length]!, other, name, turn);
    await writeFile(path, bytes);
    const start = performance.now();
    try {
      await READERS[name]!(path);
    } catch (error) {
      if (!(error instanceof UserError))
        throw new Error(`copy ${turn} (${mutation}) breaks the reader`, { cause: error });
      // A study's mistakes are listed, one line each with its place.
      const lines = name === "study.yaml" ? /.{10}/s : /^[^\n]{10,600}$/;
      expect(error.message, `copy ${turn} (${mutation})`).toMatch(lines);
      expect(error.message, `copy ${turn} (${mutation}) names the file`).toContain(path);
      expect(error.exitCode, `copy ${turn} (${mutation})`).toBe(2);
      refused.add(mutation);
    }
    expect((performance.now() - start) / 1000, `seconds for copy ${turn} (${mutation})`).toBeLessThan(SECONDS);
  }
  expect(process.resourceUsage().maxRSS / 2 ** 20).toBeLessThan(GIBIBYTES);
  expect(await readdir(inside)).toEqual([name]);
  // Mutations do what they are for: none of them leaves every copy readable.
  expect([...refused].sort()).toEqual(Object.keys(MUTATIONS).sort());
});
