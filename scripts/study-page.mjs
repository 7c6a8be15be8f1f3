// Writes a page of results and its figures from the records that `tldmi run STUDY --records DIR` leaves: no number there is typed by hand.
// Run it after `npm run build`. Usage: node scripts/study-page.mjs [--check] STUDY   from docs/results/records/<study> to docs/results/<study>.md;
// of the study `paper`, whose name the page of claims has, to paper-<model>.md.
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { attacks as allAttacks } from "../dist/attacks/index.js";
import { utilityLeakageChart } from "../dist/report/charts.js";
import { comparisonsOf, conditionsOf } from "../dist/report/conditions.js";
import { evenlyFar } from "../dist/report/even-seeds.js";
import { FLOOR_MARK_LEGEND, floorMark } from "../dist/report/floor-mark.js";
import { markdownTable } from "../dist/report/markdown-table.js";
import { count, duration, gibibytes, percentWithInterval } from "../dist/report/numbers.js";
import { seedsInWords } from "../dist/report/seeds-in-words.js";
import { judgesOfAll } from "../dist/report/seen-by.js";
import { settingName } from "../dist/report/setting-name.js";
import { summarize } from "../dist/report/summary.js";
import { svgFile } from "../dist/report/svg.js";
import { openCellRecords } from "../dist/study/cell-records.js";
import { defenseName } from "../dist/study/entry-labels.js";
import { openPlan } from "../dist/study/open-plan.js";
import { findingPoints, formatted } from "./results-text.mjs";
import { pageArguments, writePage } from "./written-pages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const [studyFile, ...rest] = pageArguments;
if (studyFile === undefined || rest.length > 0) {
  console.error("usage: node scripts/study-page.mjs [--check] STUDY");
  process.exit(2);
}
const command = `npm run study-page -- ${studyFile}`;
const { study, plan } = await openPlan({ studyFile, runsDir: join(root, "runs") });
const results = join(root, "docs/results");
const recordsDir = join(results, "records", study.name);
const recorded = await openCellRecords(recordsDir).findAll(plan.cells);
/** A record whose defense says its settings, as on the page of rankings: `mid 2` is a name in this study alone. */
const named = ({ target }, record) => ({
  ...record,
  result: { ...record.result, defenseLabel: settingName(target.defended) },
});
/** The name of the page and its figures; paper.md has the paper's claims. */
const pageName = study.name === "paper" ? `paper-${study.model.kind}` : study.name;
const found = recorded.flatMap(({ cell, found }) => (found === undefined ? [] : [named(cell, found.record)]));
const missing = recorded.flatMap(({ cell, found }) => (found === undefined ? [cell] : []));
if (found.length === 0) {
  console.error(`${recordsDir} has no record of a cell of ${studyFile} as it is now`);
  process.exit(2);
}

const records = evenlyFar(found);

const cells = records.map(({ result }) => result);
const conditions = conditionsOf(cells);
const accessOf = ({ cells }) => allAttacks.find(({ kind }) => kind === cells[0].attack)?.access ?? "–";
const asked = (queries) =>
  queries === undefined
    ? "–"
    : Object.values(queries)
        .map((n) => count(Math.round(n)))
        .join(" / ");

const seeds = seedsInWords(cells);
const [, ...others] = judgesOfAll(conditions) ?? [];
/** What judges beside the evaluation model see, and all together. */
const judgeColumns = [
  ...others.map((judge, i) => ({ title: `seen by ${judge}`, rate: (c) => c.judges.judges[i + 1].attackAccuracy })),
  ...(others.length > 0 ? [{ title: "seen by all judges", rate: (c) => c.judges.unanimous }] : []),
];
const evenRows = conditions.every((c) => seedsInWords(c.cells) === seeds);

function row(c) {
  return [
    c.attack,
    accessOf(c),
    c.label,
    ...(evenRows ? [] : [seedsInWords(c.cells)]),
    percentWithInterval(c.naturalAccuracy, 1),
    `**${percentWithInterval(c.attackAccuracy, 1)}**${floorMark(c)}`,
    percentWithInterval(c.attackAccuracyTop5, 1),
    ...judgeColumns.map(({ rate }) => percentWithInterval(rate(c), 1)),
    percentWithInterval(c.floors.randomPrior, 1),
    percentWithInterval(c.floors.initialSelection, 1),
    asked(c.queries),
    c.cost === undefined ? "–" : duration(c.cost.seconds),
    c.cost?.peakMemory === undefined ? "–" : gibibytes(c.cost.peakMemory),
  ];
}

const TITLES = [
  "attack",
  "access",
  "defense",
  ...(evenRows ? [] : ["seeds"]),
  "natural accuracy",
  "attack accuracy",
  "top 5",
  ...judgeColumns.map(({ title }) => title),
  "floor: random prior",
  "floor: best of the start pool",
  "queries: images / gradients",
  "time",
  "peak memory",
];

/** A figure for each attack against several defenses. */
async function figures() {
  const drawn = [];
  for (const { title, all } of comparisonsOf(conditions)) {
    if (all.length < 3) continue;
    const file = join(results, `${pageName}-${title.replaceAll(/[^a-z0-9.-]+/gi, "-")}.svg`);
    const label = `Natural accuracy and attack accuracy of ${title} for each defense; the table gives the numbers.`;
    await writePage(file, svgFile(utilityLeakageChart(all, 900, "beside"), label), command);
    drawn.push(`**${title}**`, "", `![${label}](${basename(file)})`, "");
  }
  return drawn;
}

/** The cells without a record, one by one where they are few. */
function missingInWords() {
  const one = ({ target, attackLabel, seed }) => {
    const { boundary } = target.defended.recipe;
    return `${[settingName(target.defended), ...(boundary ? [boundary] : [])].join(" · ")}, ${attackLabel}, seed ${seed}`;
  };
  if (missing.length <= 12) return missing.map(one);
  const groups = new Map();
  for (const { attackLabel, seed } of missing) {
    const name = `${attackLabel}, seed ${seed}`;
    groups.set(name, (groups.get(name) ?? 0) + 1);
  }
  return [...groups].map(([name, cells]) => `${name}: ${cells} ${cells === 1 ? "cell" : "cells"}`);
}

const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const summary = summarize({ cells, failed: [] }, "in the table");
const machines = [
  ...new Set(records.map(({ machine: m }) => `${m.cpu}, ${counted(m.cores, "core")}, ${counted(m.threads, "thread")}`)),
];
// A target is trained once for all attacks on it; public priors and the judge are not counted.
const targets = new Map(
  records.map(({ result: r, seconds }) => [`${defenseName(r)} ${r.boundary} ${r.seed}`, seconds.target]),
);
const spent = [
  ...targets.values(),
  ...records.map(({ result, seconds }) => (result.cost?.seconds ?? 0) + (seconds.evaluation ?? 0)),
].reduce((sum, seconds) => sum + seconds, 0);
const counts = [...new Set(conditions.map((c) => count(c.attackAccuracy.n)))].join(" or ");
const judge = conditions[0].evaluationModel;
const page = [
  `# Results of ${relative(root, studyFile)}`,
  "",
  `From ${records.length} of ${plan.cells.length} cells, whose records lie in [records/${study.name}](records/${study.name}). ` +
    (found.length > records.length
      ? `${found.length - records.length} more are there, of seeds that are not as far as others, and wait for the rest. `
      : "") +
    `${seeds.includes(",") ? `Seeds ${seeds}${evenRows ? "" : ", some rows fewer"}` : "One seed"}; ${counts} reconstructions a row. ` +
    `The evaluation model (${judge.kind}) recognises ${percentWithInterval(judge.naturalAccuracy, 1)} of real private test images.`,
  "",
  `Brackets are 95 % intervals. ${FLOOR_MARK_LEGEND} Time: the attack and anything it trains against the target, mean over seeds. Whole study: ` +
    `${duration(spent)}, including targets and evaluation, excluding public priors. Machine: ${machines.join("; ")}.`,
  "",
  "The sentences below the table say whether an attack finds less or more; [paper.md](paper.md) bounds the loss of natural accuracy as well, and " +
    "may decide otherwise.",
  "",
  ...(missing.length > 0 ? [`Not computed yet: ${missingInWords().join("; ")}.`, ""] : []),
  ...(await figures()),
  "",
  markdownTable(TITLES, conditions.map(row)),
  "",
  "## What the numbers allow to be said",
  "",
  ...findingPoints(summary),
  "",
  ...summary.limits.map((limit) => `* ${limit}`),
  "",
].join("\n");
await writePage(join(results, `${pageName}.md`), formatted(page), command);
