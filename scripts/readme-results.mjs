// Writes a study's numbers into README.md, between its markers: no number there is typed by hand. Run it after `npm run build`.
// Usage: node scripts/readme-results.mjs STUDY_FOLDER [--memory GIB] [--readme FILE]
//   --memory   peak memory of the run in GiB, as measured from outside (`/usr/bin/time -v`)
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeFileAtomic } from "../dist/engine/atomic-file.js";
import { conditionsOf } from "../dist/report/conditions.js";
import { markdownTable } from "../dist/report/markdown-table.js";
import { duration, fixed, percentWithInterval } from "../dist/report/numbers.js";
import { summarize } from "../dist/report/summary.js";
import { between, findingPoints, formatted } from "./results-text.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    memory: { type: "string" },
    readme: { type: "string", default: fileURLToPath(new URL("../README.md", import.meta.url)) },
  },
});
const [folder] = positionals;
const memory = values.memory === undefined ? undefined : Number(values.memory);
if (folder === undefined || positionals.length > 1 || Number.isNaN(memory)) {
  console.error("usage: node scripts/readme-results.mjs STUDY_FOLDER [--memory GIB] [--readme FILE]");
  process.exit(2);
}
const json = async (name) => JSON.parse(await readFile(join(folder, name), "utf8"));
const study = await json("study.json");
const record = await json("run.json");

function results() {
  const titles = [
    "defense",
    "frozen up to",
    "natural accuracy",
    "attack",
    "attack accuracy",
    "floor: random prior",
    "floor: best of the start pool",
  ];
  const conditions = conditionsOf(study.cells);
  const rows = conditions.map((c) => [
    c.label,
    c.boundary ?? "–",
    percentWithInterval(c.naturalAccuracy, 1),
    c.attack,
    `**${percentWithInterval(c.attackAccuracy, 1)}**`,
    percentWithInterval(c.floors.randomPrior, 1),
    percentWithInterval(c.floors.initialSelection, 1),
  ]);
  const judge = conditions[0].evaluationModel;
  const counts = [...new Set(conditions.map((c) => c.attackAccuracy.n))].join(" or ");
  const seeds = [...new Set(study.cells.map((cell) => cell.seed))].length;
  return [
    markdownTable(titles, rows),
    "",
    `Brackets are 95 % intervals; ${counts} reconstructions a row, ${seeds === 1 ? "one seed" : `${seeds} seeds`}. ` +
      `The evaluation model (${judge.kind}) itself recognises ${percentWithInterval(judge.naturalAccuracy, 1)} of real private test images.`,
    "",
    ...findingPoints(summarize(study)),
  ].join("\n");
}

/** Time from the record of an unbroken run: the timings alone cannot tell a shipped step from one of an earlier run. */
function cost() {
  if (record.status !== "COMPLETED" || record.attempts !== 1) {
    console.error(
      `the run is ${record.status} after ${record.attempts} attempts: its time says little and is left as it was`,
    );
    return undefined;
  }
  const seconds = (Date.parse(record.ended) - Date.parse(record.started)) / 1000;
  const { cores, threads, cpu, platform } = study.provenance;
  const peak = memory === undefined ? "" : `, peak memory ${fixed(memory, 1)} GiB`;
  return `Measured: ${duration(seconds)} on ${cores} cores (${threads} ${threads === 1 ? "thread" : "threads"} a process, ${cpu}, ${platform})${peak}.`;
}

const before = await readFile(values.readme, "utf8");
const within = (text, name, content) => (content === undefined ? text : between(text, name, content));
const after = within(within(before, "quickstart", results()), "quickstart-cost", cost());
await writeFileAtomic(values.readme, formatted(after));
