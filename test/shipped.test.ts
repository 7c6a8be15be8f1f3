import { access } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { assetsFolder } from "../src/study/assets.ts";
import { expandStudy } from "../src/study/plan.ts";
import { loadData, readStudy } from "../src/study/read-study.ts";

/** By example: the steps that its cells share, and so come with the package. */
const SHARED = {
  quickstart: ["attribute-model", "evaluation-model", "pretraining", "prior"],
  attacks: ["attribute-model", "evaluation-model", "pretraining", "prior", "prior", "prior"],
};

// A step's id follows from everything that its result depends on. Where it changes, the shipped result is silently computed anew.
test.each(Object.entries(SHARED))("what the cells of %s share comes with the package", async (example, kinds) => {
  const read = await readStudy(fileURLToPath(new URL(`../examples/${example}.yaml`, import.meta.url)));
  const { steps } = expandStudy(read.study, await loadData(read, join(tmpdir(), "unused"), () => {}), {});
  const shared = steps.filter(({ spec }) => kinds.includes(spec.kind));
  expect(shared.map(({ spec }) => spec.kind).sort()).toEqual(kinds);
  for (const { spec, id } of shared) await access(join(assetsFolder, `${spec.kind}-${id}`, "step.json"));
});
