import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { UserError } from "../src/engine/errors.ts";
import { dcgan } from "../src/priors/dcgan.ts";
import { loadData, loadWeights, readStudy } from "../src/study/read-study.ts";

const folder = fileURLToPath(new URL("../configs/papers", import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
const PLACE = "/path/to/";

test("the field's papers are there, and the folder's page lists them", () => {
  const papers = ["bido", "brep-mi", "gmi", "kedmi", "lomma", "mid", "negls", "plg-mi", "ppa", "tl-dmi"];
  expect(files.toSorted()).toEqual(papers.map((paper) => `${paper}.yaml`));
  const page = readFileSync(join(folder, "README.md"), "utf8");
  for (const file of files) expect(page).toContain(`(${file})`);
});

test("GMI's generator takes a step for every fifth batch of 280 epochs of 30,000 images", () => {
  const steps = Number(/dcgan, steps: (\d+)/.exec(readFileSync(join(folder, "gmi.yaml"), "utf8"))?.[1]);
  const { batch, critic } = dcgan.config.parse({});
  expect(steps).toBe((280 * 30_000) / batch / critic);
});

describe.each(files)("%s", (file) => {
  const text = readFileSync(join(folder, file), "utf8");

  test("says in its first lines which paper and what for, what is reported, what it needs and what is not known", () => {
    const head = text.slice(0, text.indexOf("\nname:"));
    for (const line of head.split("\n")) expect(line).toMatch(/^#/);
    for (const part of [/arXiv \d{4}\.\d{5}/, /^# For: /m, /^# Reported/m, /^# Point it at: /m, /^# Not known: /m])
      expect(head).toMatch(part);
  });

  test("is valid once its paths are filled in, and bears its file's name", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "papers-"));
    for (const [, name] of text.matchAll(/\/path\/to\/([\w-]+\.safetensors)/g)) writeFileSync(join(scratch, name!), "");
    writeFileSync(join(scratch, file), text.replaceAll(PLACE, `${scratch}/`));
    expect(`${(await readStudy(join(scratch, file))).study.name}.yaml`).toBe(file);
  });

  test("as it is names a path that is not there, in one line", async () => {
    const attempt = async () => {
      const read = await readStudy(join(folder, file));
      await loadWeights(read);
      await loadData(read, join(tmpdir(), "unused"), () => {});
    };
    const error = await attempt().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).toContain(PLACE);
    expect(message).not.toContain("\n");
  });

  test("its images' folder too", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "papers-"));
    for (const [, name] of text.matchAll(/\/path\/to\/([\w-]+\.safetensors)/g)) writeFileSync(join(scratch, name!), "");
    writeFileSync(join(scratch, file), text.replaceAll(/\/path\/to\/(?=[\w-]+\.safetensors)/g, `${scratch}/`));
    const read = await readStudy(join(scratch, file));
    const error = await loadData(read, join(scratch, "cache"), () => {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(/^[^\n]*\/path\/to\/(celeba|facescrub)[^\n]*$/);
  });
});
