import { access, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { assetsFolder, verifyStore } from "../src/study/assets.ts";
import { demoAssets, demoStudy } from "../src/study/demo.ts";
import { expandStudy } from "../src/study/plan.ts";
import { loadData, readStudy } from "../src/study/read-study.ts";
import { stepFolder } from "../src/study/step-record.ts";

/** By example: the steps that its cells share, and so come with the package. */
const SHARED = {
  quickstart: ["attribute-model", "evaluation-model", "pretraining", "prior"],
  attacks: ["attribute-model", "evaluation-model", "pretraining", "prior", "prior"],
  fisher: ["prior"],
  "frontier-resnet10": ["evaluation-model", "pretraining", "prior"],
  "frontier-vgg16_bn": ["prior"],
};
const exampleFile = (name: string) => fileURLToPath(new URL(`../examples/${name}.yaml`, import.meta.url));

async function stepsOf(file: string) {
  const read = await readStudy(file);
  return expandStudy(read.study, await loadData(read, join(tmpdir(), "unused"), () => {}), {}).steps;
}

// A step's id follows from everything that its result depends on. Where it changes, the shipped result is silently computed anew.
test.each(Object.entries(SHARED))("what the cells of %s share comes with the package", async (example, kinds) => {
  const shared = (await stepsOf(exampleFile(example))).filter(({ spec }) => kinds.includes(spec.kind));
  expect(shared.map(({ spec }) => spec.kind).sort()).toEqual(kinds);
  for (const { spec, id } of shared) await access(join(assetsFolder, `${spec.kind}-${id}`, "step.json"));
});

test("the demo trains nothing: its targets lie in a folder of their own, whole, and no other step does", async () => {
  const folders = (await stepsOf(demoStudy)).map(({ spec }) => stepFolder(spec));
  const trained = folders.filter((name) => /^(target|prior|pretraining|evaluation-model)-/.test(name));
  const targets = trained.filter((name) => name.startsWith("target-"));
  expect(targets).toHaveLength(2);
  expect((await readdir(demoAssets)).toSorted()).toEqual(targets.toSorted());
  expect(await verifyStore(demoAssets)).toEqual({ steps: 2, damaged: [] });
  const shared = await readdir(assetsFolder);
  for (const name of trained.filter((one) => !targets.includes(one))) expect(shared).toContain(name);
});

test("the quickstart trains its targets itself", async () => {
  const targets = (await stepsOf(exampleFile("quickstart"))).filter(({ spec }) => spec.kind === "target");
  const shared = await readdir(assetsFolder);
  expect(targets.length).toBeGreaterThanOrEqual(2);
  for (const { spec } of targets) expect(shared).not.toContain(stepFolder(spec));
});
