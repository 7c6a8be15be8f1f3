// Writes docs/results/<study>-fisher.md (fisher.md for the study of that name) from Fisher analyses of a study's cells: no number there is typed by hand. Analyses that `tldmi fisher` has
// left in runs/ are first kept beside the records that `tldmi run STUDY --records docs/results/records/<study>` leaves.
// Run it after `npm run build`. Usage: node scripts/fisher-page.mjs [--check] STUDY [RUNS]
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { fisherSvg } from "../dist/report/fisher.js";
import { fisherFindings } from "../dist/report/fisher-findings.js";
import { markdownTable } from "../dist/report/markdown-table.js";
import { count, percent, percentWithInterval, significant } from "../dist/report/numbers.js";
import { cellFolder, cellName } from "../dist/study/cell.js";
import { openCellRecords } from "../dist/study/cell-records.js";
import { beatsFloors } from "../dist/study/floors.js";
import { openPlan } from "../dist/study/open-plan.js";
import { studyFolder } from "../dist/study/study-folder.js";
import { keptJson } from "./kept-json.mjs";
import { formatted } from "./results-text.mjs";
import { pageArguments, writePage } from "./written-pages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const [studyFile, runsDir = join(root, "runs"), ...rest] = pageArguments;
if (studyFile === undefined || rest.length > 0) {
  console.error("usage: node scripts/fisher-page.mjs [--check] STUDY [RUNS]");
  process.exit(2);
}
const command = `npm run fisher-page -- ${studyFile}`;
const { study, plan } = await openPlan({ studyFile, runsDir });
const results = join(root, "docs/results");
const recordsDir = join(results, "records", study.name);

/** The analysis of a cell: the run's own, which is kept, or the one that was kept. */
const analysisOf = (cell) =>
  keptJson(
    join(studyFolder(runsDir, study), cellFolder(cell), "report/fisher.json"),
    join(recordsDir, `${cellName(cell)}-${cell.evaluation.id}.fisher.json`),
  );

const FORMS = { "per-example": "image by image", "batch-mean": "of each batch's mean loss" };
const LABELS = { empirical: "the images' own labels", true: "labels drawn from the target's own probabilities" };

function setting({ images, settings }, { result, machine }) {
  const { naturalAccuracy, attackAccuracy, floors } = result;
  const weak = beatsFloors(result)
    ? ""
    : " **The attack is not shown to lie above both floors: inversion's curve may not be that of an attack that works.**";
  return (
    `Gradients are squared ${FORMS[settings.form]}; classification on ${count(images.classification)} private validation images with ` +
    `${LABELS[settings.labels]}, inversion on ${count(images.inversion)} images that the attack showed the target: ${settings.identities} ` +
    `identities at ${settings.points} of its iterations. The target classifies ${percentWithInterval(naturalAccuracy, 1)} of private test ` +
    `images rightly; ${percentWithInterval(attackAccuracy, 1)} of the attack's ${count(attackAccuracy.n)} reconstructions are recognised by ` +
    `${result.evaluationModel.kind}, against ${percentWithInterval(floors.randomPrior, 1)} of random samples of the prior and ` +
    `${percentWithInterval(floors.initialSelection, 1)} of the start pool's best.${weak} Machine: ${machine.cpu}, ${machine.cores} cores.`
  );
}

/** A row a layer: convolutions with their shares of the task's sum, as the chart has them; norms with their numbers alone. */
function layerTable({ layers, stages, boundary }) {
  const kernels = layers.filter(({ kernel }) => kernel);
  const last = stages.findIndex(({ stage }) => stage === boundary);
  const frozen = new Set(stages.slice(0, last + 1).map(({ stage }) => stage));
  const share = (layer, task) => {
    const sum = kernels.reduce((all, one) => all + one[task], 0);
    return layer.kernel && sum > 0 ? percent(layer[task] / sum, 1) : "";
  };
  return markdownTable(
    ["layer", "stage", "parameters", "classification", "share", "inversion", "share", "up to the boundary"],
    layers.map((layer) => [
      `\`${layer.layer}\``,
      layer.stage ?? "head",
      count(layer.parameters),
      significant(layer.classification),
      share(layer, "classification"),
      significant(layer.inversion),
      share(layer, "inversion"),
      frozen.has(layer.stage) ? "✓" : "",
    ]),
  );
}

const parts = [];
for (const { cell, found } of await openCellRecords(recordsDir).findAll(plan.cells)) {
  const analysis = await analysisOf(cell);
  if (found === undefined || analysis === undefined) continue;
  const { record } = found;
  const { svg, label } = fisherSvg(analysis);
  const figure = `${study.name}-${cellName(cell)}.svg`;
  await writePage(join(results, figure), svg, command);
  parts.push(
    `## ${study.model.kind}, ${cell.target.label}, under ${cell.attackLabel}, seed ${cell.seed}`,
    setting(analysis, record),
    `![${label}](${figure})`,
    fisherFindings(analysis)
      .map((sentence) => `* ${sentence}`)
      .join("\n"),
    layerTable(analysis),
  );
}
if (parts.length === 0) {
  console.error(
    `${recordsDir} has no cell of ${studyFile} as it is now with a Fisher analysis; its head says how to compute both`,
  );
  process.exit(2);
}
const page = [
  `# Fisher information: ${relative(root, studyFile)}`,
  `What is measured, and the rule for the boundary: [fisher.md](../fisher.md). Records: [records/${study.name}](records/${study.name}). ` +
    "Brackets are 95 % intervals. Numbers are means over a layer's parameters; shares are of all convolutions and linear layers.",
  ...parts,
].join("\n\n");
// A study's cells have a page of the study's name by themselves.
const name = study.name === "fisher" ? study.name : `${study.name}-fisher`;
await writePage(join(results, `${name}.md`), formatted(`${page}\n`), command);
