// Writes docs/results/paper.md: the paper's claims, decided from the records under docs/results/records. No number there is typed by hand.
// `npm run paper-page` builds first. Usage: node scripts/paper-page.mjs [--check]
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beyondReach, claims, paperPage, readEvidence } from "../dist/report/paper/index.js";
import { formatted } from "./results-text.mjs";
import { pageArguments, writePage } from "./written-pages.mjs";

/** Studies of 50 people that can speak of some claims. */
const EXAMPLES = ["attacks", "defenses", "fisher"];

const root = fileURLToPath(new URL("..", import.meta.url));
if (pageArguments.length > 0) {
  console.error("usage: node scripts/paper-page.mjs [--check]");
  process.exit(2);
}
const own = (await readdir(join(root, "studies"))).filter((name) => name.endsWith(".yaml")).toSorted();
const files = [...own.map((name) => `studies/${name}`), ...EXAMPLES.map((name) => `examples/${name}.yaml`)];
const results = join(root, "docs/results");
const studies = [];
for (const file of files)
  studies.push(await readEvidence({ root, studyFile: join(root, file), results, runsDir: join(root, "runs") }));
await writePage(join(results, "paper.md"), formatted(paperPage(studies, claims, beyondReach)), "npm run paper-page");
