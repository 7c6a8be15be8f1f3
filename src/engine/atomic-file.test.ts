import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryName, writeFileAtomic } from "./atomic-file.ts";

describe("writeFileAtomic", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tldmi-atomic-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("writes text and bytes and creates the folders above", async () => {
    const text = join(folder, "a", "b", "note.txt");
    const bytes = join(folder, "a", "raw.bin");
    await writeFileAtomic(text, "größer");
    await writeFileAtomic(bytes, Uint8Array.of(0, 255, 10, 13));
    expect(await readFile(text, "utf8")).toBe("größer");
    expect([...(await readFile(bytes))]).toEqual([0, 255, 10, 13]);
  });

  test("replaces a longer file whole and leaves no temporary file", async () => {
    const path = join(folder, "value.json");
    await writeFile(path, "a much longer text than the next one");
    await writeFileAtomic(path, "{}");
    expect(await readFile(path, "utf8")).toBe("{}");
    expect(await readdir(folder)).toEqual(["value.json"]);
  });

  test("removes its temporary file when the rename fails", async () => {
    const path = join(folder, "taken");
    await mkdir(join(path, "inside"), { recursive: true });
    await expect(writeFileAtomic(path, "text")).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["taken"]);
    expect(await readdir(path)).toEqual(["inside"]);
  });

  test("two writers at once leave the whole text of one of them", async () => {
    const path = join(folder, "shared.txt");
    const texts = ["a".repeat(100_000), "b".repeat(50_000)];
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(await readFile(path, "utf8"));
    expect(await readdir(folder)).toEqual(["shared.txt"]);
  });

  test("temporary names stay in the folder of the file and never repeat", () => {
    const names = [temporaryName("/data/x.bin"), temporaryName("/data/x.bin")];
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^\/data\/\.x\.bin\.[0-9a-f-]{36}\.tmp$/);
  });
});
