import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claimFolder, STUDY_YAML } from "./claim-folder.ts";
import type { Wish } from "./open-study.ts";

const folder = () => mkdtempSync(join(tmpdir(), "claim-"));

/** A study of a model of which only this much counts. */
const studyOf = (file: string, size = 64) => ({
  keys: (attacks: readonly string[]) => ({
    name: "audit-m",
    model: { file },
    data: { size },
    attacks: attacks.map((kind) => ({ kind })),
  }),
});
const wish: Wish = { attacks: ["gmi", "kedmi"], access: "white-box", budget: 60 };
const chosen = { chosen: ["gmi"], tooDear: [], leftOut: [] };
const claim = (out: string, made = studyOf("a/m.onnx"), asked = wish) => claimFolder(out, made, asked, "m");
const refused = () => Promise.reject(new Error("no attack fits"));

test("what is refused before any attack leaves no study, so that anything may be tried in the folder", async () => {
  const out = folder();
  const first = await claim(out);
  expect(await first.attempt(() => Promise.resolve(1))).toBe(1);
  expect(existsSync(first.studyFile)).toBe(true);
  await expect(first.attempt(refused)).rejects.toThrow("no attack fits");
  expect(existsSync(first.studyFile)).toBe(false);
  const other = await claimFolder(out, studyOf("b/other.onnx", 32), { ...wish, budget: null }, "other");
  expect(readFileSync(other.studyFile, "utf8")).toContain("size: 32");
});

test("what was killed before any attack does not block another try", async () => {
  const out = folder();
  await claim(out);
  const { studyFile, attempt } = await claim(out, studyOf("a/m.onnx", 32));
  expect(readFileSync(studyFile, "utf8")).toContain("size: 32");
  await expect(attempt(refused)).rejects.toThrow();
  expect(existsSync(studyFile)).toBe(false);
});

test("a refused try with other attacks leaves a finished study as it was", async () => {
  const out = folder();
  await (await claim(out)).settle(chosen);
  const finished = readFileSync(join(out, STUDY_YAML), "utf8");
  expect(finished).not.toContain("kedmi");
  const again = await claim(out, undefined, { ...wish, budget: 1 });
  expect(again.before).toBeUndefined();
  await expect(again.attempt(refused)).rejects.toThrow();
  expect(readFileSync(join(out, STUDY_YAML), "utf8")).toBe(finished);
  expect(await claim(out)).toMatchObject({ before: chosen });
});

test("a study of something else is refused, and the keys that differ are named", async () => {
  const out = folder();
  await (await claim(out)).settle(chosen);
  await expect(claim(out, studyOf("b/m.onnx", 32))).rejects.toThrow(
    `${out} holds a study of something else, or one with other options (they differ in model.file, data.size); name another folder with --out, or remove it`,
  );
});
