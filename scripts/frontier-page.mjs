// Writes docs/results/frontier.md from what `tldmi frontier` has left in runs/, which is first kept as docs/results/records/frontier/*.json:
// no number there is typed by hand. Each study is a section, in the order in which they are named.
// Run it after `npm run build`. Usage: node scripts/frontier-page.mjs [--check] [--runs RUNS] STUDY...
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { frontierSvg } from "../dist/report/frontier.js";
import { frontierFindings } from "../dist/report/frontier-findings.js";
import { markdownTable } from "../dist/report/markdown-table.js";
import { count, fixed, percentWithInterval } from "../dist/report/numbers.js";
import { readStudy } from "../dist/study/read-study.js";
import { studyFolder } from "../dist/study/study-folder.js";
import { keptJson } from "./kept-json.mjs";
import { formatted } from "./results-text.mjs";
import { pageArguments, writePage } from "./written-pages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals: studies } = parseArgs({
  args: pageArguments,
  allowPositionals: true,
  options: { runs: { type: "string" } },
});
const runsDir = values.runs ?? join(root, "runs");
if (studies.length === 0) {
  console.error("usage: node scripts/frontier-page.mjs [--check] [--runs RUNS] STUDY...");
  process.exit(2);
}
const command = `npm run frontier-page -- ${studies.join(" ")}`;
const results = join(root, "docs/results");

const points = (share) => fixed(100 * share, 1);
const gap = (leaksMore) =>
  leaksMore === null
    ? "–"
    : `${points(leaksMore.difference.value)} [${points(leaksMore.difference.low)}, ${points(leaksMore.difference.high)}]`;

function frontierTable({ undefended, sweep, others, best, auto }) {
  const row = (cell, leaksMore, marks) => [
    cell.label,
    count(cell.trainableParameters),
    percentWithInterval(cell.naturalAccuracy, 1),
    percentWithInterval(cell.attackAccuracy, 1),
    leaksMore,
    marks.join(", "),
  ];
  const marks = ({ boundary }) => [...(boundary === best ? ["best"] : []), ...(boundary === auto ? ["auto"] : [])];
  return markdownTable(
    ["defense", "trained parameters", "natural accuracy", "attack accuracy", "leaks more, points", ""],
    [
      row(undefended, "", []),
      ...sweep.map((point) => row(point, gap(point.leaksMore), marks(point))),
      ...others.map((point) => row(point, gap(point.leaksMore), [])),
    ],
  );
}

const parts = [];
for (const studyFile of studies) {
  const { study } = await readStudy(studyFile);
  const studyDir = studyFolder(runsDir, study);
  const kept = join(results, "records/frontier", `${basename(studyDir)}.json`);
  const record = await keptJson(join(studyDir, "report/frontier.json"), kept);
  if (record === undefined) {
    console.error(`${studyFile}: no frontier of it as it is now, in ${studyDir} or as ${kept}; run \`tldmi frontier\``);
    process.exit(2);
  }
  const { svg, label } = frontierSvg(record);
  const figure = `frontier-${study.name.replace(/^frontier-/, "")}.svg`;
  await writePage(join(results, figure), svg, command);
  parts.push(`## ${record.model}: ${relative(root, studyFile)}`, `![${label}](${figure})`);
  for (const frontier of record.frontiers) {
    parts.push(
      `### ${frontier.attack}, seed ${frontier.seed}`,
      frontierFindings(frontier)
        .map((sentence) => `* ${sentence}`)
        .join("\n"),
      frontierTable(frontier),
    );
  }
  if (record.failed.length > 0)
    parts.push(
      `Failed: ${record.failed.map(({ defense, attack, seed, message }) => `${defense}, ${attack}, seed ${seed}: ${message}`).join("; ")}.`,
    );
}
const page = [
  "# Frontiers: every boundary, and what `freeze: auto` chooses",
  "What is measured: [frontier.md](../frontier.md). Records: [records/frontier](records/frontier). Brackets are 95 % intervals. _Leaks more_ " +
    "is the mean difference of attack accuracy to the undefended model at equal natural accuracy, in points; below zero, a setting leaks " +
    "less. A seed of its own has a frontier of its own, and the best of a sweep is chosen by the numbers that it is then praised for.",
  ...parts,
].join("\n\n");
await writePage(join(results, "frontier.md"), formatted(`${page}\n`), command);
