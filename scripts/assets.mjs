// Computes what ships in assets/: the steps that the cells of these examples share, and in assets/demo the demo's trained targets.
// `npm run assets` builds first; a killed run resumes.
// Usage: node scripts/assets.mjs [kind …]   e.g. prior, pretraining, evaluation-model, attribute-model, target; all by default
import { fileURLToPath } from "node:url";
import { assetsFolder } from "../dist/study/assets.js";
import { demoAssets, demoStudy } from "../dist/study/demo.js";
import { expandStudy } from "../dist/study/plan.js";
import { loadData, loadWeights, readStudy } from "../dist/study/read-study.js";
import { openStepStore } from "../dist/study/step-store.js";
import { stepRunner } from "../dist/study/steps/planned.js";

const EXAMPLES = ["quickstart", "attacks"];
const SHARED = ["pretraining", "prior", "evaluation-model", "attribute-model"];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : [...SHARED, "target"];
const cache = fileURLToPath(new URL("../runs/cache", import.meta.url));

let told = 0;
const events = (event) => {
  if (event.type === "step-progress" && performance.now() - told < 20_000) return;
  told = performance.now();
  console.error(JSON.stringify(event));
};
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());

/** Computes the steps of these kinds of a study into a store; those in `shipped` are there already. */
async function fill(file, kinds, root, shipped) {
  const read = await readStudy(file);
  const plan = expandStudy(read.study, await loadData(read, cache, events), await loadWeights(read));
  const store = openStepStore({ root, shipped, events, signal: interrupt.signal });
  const run = stepRunner(store, (step, { seconds }) => console.log(`${step.name}: ${seconds.toFixed(0)} s`));
  for (const step of plan.steps) if (kinds.includes(step.spec.kind) && wanted.includes(step.spec.kind)) await run(step);
}

for (const example of EXAMPLES)
  await fill(fileURLToPath(new URL(`../examples/${example}.yaml`, import.meta.url)), SHARED, assetsFolder, []);
await fill(demoStudy, ["target"], demoAssets, [assetsFolder]);
