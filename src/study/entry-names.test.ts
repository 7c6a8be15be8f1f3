import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { smallFaces } from "../../test/support/small-faces.ts";
import { openCellRecords } from "./cell-records.ts";
import { labelsOf } from "./plan/cells.ts";
import { expandStudy, type StudyPlan } from "./plan.ts";
import { loadData, readStudy } from "./read-study.ts";
import type { CellResult } from "./result.ts";
import { StudySchema } from "./study-schema.ts";
import { parseYamlConfig } from "./yaml-config.ts";

const text = (defenses: string, attacks: string, rest = "") => `name: names
${smallFaces({ validation: 1, test: 2 })}
model: { kind: resnet10, width: 4 }
evaluation: { model: { kind: resnet18, width: 4 } }
defenses: [${defenses}]
attacks: [${attacks}]
${rest}`;
const read = (defenses: string, attacks: string) => parseYamlConfig(StudySchema, text(defenses, attacks), "names.yaml");

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "names-"));
});
afterAll(() => rm(root, { recursive: true }));

async function planned(defenses: string, attacks: string, rest = ""): Promise<StudyPlan> {
  const file = join(root, "names.yaml");
  await writeFile(file, text(defenses, attacks, rest));
  const found = await readStudy(file);
  return expandStudy(found.study, await loadData(found, join(root, "cache"), () => {}), {});
}

const KINDS = ["none, label-smoothing, { kind: tl-dmi, freeze: auto }", "gmi, { kind: gmi, iterations: 9 }"] as const;
const NAMES = [
  "{ kind: none, name: plain }, { kind: label-smoothing, name: soft }, { kind: tl-dmi, freeze: auto, name: cut }",
  "{ kind: gmi, name: short }, { kind: gmi, iterations: 9, name: long }",
] as const;

test("a name says what an entry is called, and changes no step", async () => {
  const [bare, named] = [await planned(...KINDS), await planned(...NAMES)];
  expect(named.steps.map(({ id }) => id)).toEqual(bare.steps.map(({ id }) => id));
  expect(named.targets.map(({ label }) => label)).toEqual(["plain", "soft", "cut"]);
  const shown = [bare, named].map(({ cells }) => cells[3]!.attackStep.name);
  expect(shown, "what is shown of a step tells entries of one kind apart").toEqual([
    "gmi 2 on label-smoothing, seed 1",
    "long on soft, seed 1",
  ]);
  expect(labelsOf(named.cells[3]!)).toEqual({
    defense: "label-smoothing",
    defenseLabel: "soft",
    attack: "gmi",
    attackLabel: "long",
  });
});

test("without names the second of a kind has a number, and a kind that stands alone no label", async () => {
  const { cells } = await planned(...KINDS);
  expect(cells.slice(0, 2).map(labelsOf)).toEqual([
    { defense: "none", attack: "gmi" },
    { defense: "none", attack: "gmi", attackLabel: "gmi 2" },
  ]);
});

test.each([
  [
    "none",
    "{ kind: gmi, name: a }, { kind: kedmi, name: a }",
    /attacks\[1\]\.name {2}"a" is the name of entry 1 already/,
  ],
  [
    "{ kind: none, name: a }, { kind: ssd, name: a }",
    "gmi",
    /defenses\[1\]\.name {2}"a" is the name of entry 1 already/,
  ],
  ["none", "{ kind: gmi, name: kedmi }", /attacks\[0\]\.name {2}"kedmi" is a kind of its own/],
  ["none", "{ kind: gmi, name: a }, { kind: gmi, name: b }", /attacks\[1\] {2}is the same as entry 1/],
  ["none", "{ kind: gmi, name: a/b }", /attacks\[0\]\.name {2}expected a name of letters/],
  ["{ kind: none, with: [{ kind: label-smoothing, name: a }] }", "gmi", /name/],
])("defenses [%s] with attacks [%s] are refused at the entry", (defenses, attacks, message) => {
  expect(() => read(defenses, attacks)).toThrow(message);
});

test("a name that another entry's folder would have is refused", async () => {
  const attacks = "gmi, { kind: gmi, iterations: 9 }, { kind: gmi, iterations: 8, name: gmi-2 }";
  await expect(planned("none", attacks)).rejects.toThrow("attacks: entries 2 and 3 would both be called gmi-2");
});

test("a gate's selection goes by kind and by name", async () => {
  const gate = (attack: string) => `gate: { max: { attack.top1: 0.5 }, attacks: [${attack}] }`;
  await planned(...NAMES, gate("long"));
  await planned(...NAMES, gate("gmi"));
  await expect(planned(...NAMES, gate("lang"))).rejects.toThrow(/no cell has the attack "lang"; did you mean "long"/);
});

test("a record is found by what was computed, and has the names that the study gives now", async () => {
  const records = openCellRecords(join(root, "records"));
  const [bare, named] = [await planned(...KINDS), await planned(...NAMES)];
  const result = { schemaVersion: 1, ...labelsOf(bare.cells[1]!), run: "cells/none-gmi-2-seed1" } as CellResult;
  await records.keep(bare.cells[1]!, { study: "names", result, seconds: {}, machine: {} as never });
  const found = await records.find(named.cells[1]!);
  expect(found?.record.result).toEqual({
    ...{ schemaVersion: 1, defense: "none", defenseLabel: "plain", attack: "gmi", attackLabel: "long" },
    run: join("cells", "plain-long-seed1"),
  });
  expect(await records.find(named.cells[0]!)).toBeUndefined();
});

test("entries that differ in the pool that they start from are steps of their own, whatever the pool of the floors", async () => {
  const pools = (from: number) => `{ kind: gmi, name: p${from}, pool: ${from} }`;
  const { cells } = await planned("none", [0, 10, 20].map(pools).join(", "), "reconstructions: { pool: 10 }");
  expect(new Set(cells.map(({ evaluation }) => evaluation.id)).size).toBe(3);
});
