import { access } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { assetsFolder } from "../src/study/assets.ts";
import { expandStudy } from "../src/study/plan.ts";
import { loadData, readStudy } from "../src/study/read-study.ts";

const SHARED = ["pretraining", "prior", "evaluation-model", "attribute-model"];

// A step's id follows from everything that its result depends on. Where it changes, the shipped result is silently computed anew.
test("what the quickstart's cells share comes with the package", async () => {
  const read = await readStudy(fileURLToPath(new URL("../examples/quickstart.yaml", import.meta.url)));
  const { steps } = expandStudy(read.study, await loadData(read, join(tmpdir(), "unused"), () => {}), {});
  const shared = steps.filter(({ spec }) => SHARED.includes(spec.kind));
  expect(shared.map(({ spec }) => spec.kind).sort()).toEqual(SHARED.toSorted());
  for (const { spec, id } of shared) await access(join(assetsFolder, `${spec.kind}-${id}`, "step.json"));
});
