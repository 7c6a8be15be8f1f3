import type { CellResult, Measured, Queries } from "../../study/result.ts";
import { colorsDiffer, utilityLeakageChart } from "../charts.ts";
import { type Condition, comparisonsOf } from "../conditions.ts";
import { type Html, type HtmlPart, html } from "../escape.ts";
import {
  count,
  duration,
  fixed,
  gibibytes,
  percent,
  percentInterval,
  percentWithInterval,
  significant,
} from "../numbers.ts";
import { type Column, chart, colorKey, legend, table } from "../parts.ts";

/** Widths of a plot with a column of names, in pixels. */
const WITH_NAMES = { wide: 900, narrow: 340 };

/** What is compared stands first, where a narrow screen shows it without scrolling. */
const COLUMNS: readonly Column[] = [
  { name: "defense" },
  { name: "boundary" },
  { name: "attack" },
  { name: "seed", numeric: true },
  { name: "natural accuracy", numeric: true },
  { name: "attack accuracy top-1", numeric: true },
  { name: "attack accuracy top-5", numeric: true },
  { name: "floor: random prior", numeric: true },
  { name: "floor: initial selection", numeric: true },
  { name: "KNN distance", numeric: true },
  { name: "queries", numeric: true },
  { name: "time", numeric: true },
  { name: "peak memory", numeric: true },
  { name: html`|θ<sub>C</sub>|`, numeric: true },
  { name: html`|θ<sub>E</sub>|`, numeric: true },
  { name: "evaluation model" },
  { name: "its accuracy", numeric: true },
  { name: "n test images", numeric: true },
  { name: "n recon\u00adstructions", numeric: true },
  { name: "run" },
];

const rate = (measured: Measured): Html =>
  html`${percent(measured.value, 1)}<small>${percentInterval(measured, 1)}</small>`;

const distance = ({ value, low, high }: Measured): Html =>
  html`${significant(value)}<small>[${significant(low)},\u00a0${significant(high)}]</small>`;

const asked = (queries: Queries | undefined): HtmlPart => {
  if (queries === undefined) return "–";
  const { images, gradients } = queries;
  return gradients === 0 ? count(images) : html`${count(images)}<small>${count(gradients)} gradients</small>`;
};

type Numbers = Pick<
  CellResult,
  | "naturalAccuracy"
  | "attackAccuracy"
  | "attackAccuracyTop5"
  | "knnDistance"
  | "floors"
  | "evaluationModel"
  | "trainableParameters"
  | "frozenParameters"
> & { readonly queries?: Queries | undefined; readonly cost?: CellResult["cost"] | undefined };

function row(condition: Condition, seed: string, numbers: Numbers, run: string): readonly HtmlPart[] {
  return [
    html`${colorKey(condition.labelIndex)}${condition.label}`,
    condition.boundary ?? "–",
    condition.attack,
    seed,
    rate(numbers.naturalAccuracy),
    rate(numbers.attackAccuracy),
    rate(numbers.attackAccuracyTop5),
    rate(numbers.floors.randomPrior),
    rate(numbers.floors.initialSelection),
    distance(numbers.knnDistance),
    asked(numbers.queries),
    numbers.cost === undefined ? "–" : duration(numbers.cost.seconds),
    numbers.cost?.peakMemory === undefined ? "–" : gibibytes(numbers.cost.peakMemory),
    count(numbers.trainableParameters),
    count(numbers.frozenParameters),
    numbers.evaluationModel.kind,
    rate(numbers.evaluationModel.naturalAccuracy),
    count(numbers.naturalAccuracy.n),
    count(numbers.attackAccuracy.n),
    run,
  ];
}

/** The last part of a path: enough to find a run, and no more of the machine than that. */
const folderName = (path: string) => path.split(/[\\/]/).findLast((part) => part !== "") ?? path;

/** What a screen reader says of the plot. */
function spoken(conditions: readonly Condition[]): string {
  const said = conditions.map(
    ({ label, attack, naturalAccuracy, attackAccuracy }) =>
      `${label} under ${attack}: natural accuracy ${percentWithInterval(naturalAccuracy, 1)}, attack accuracy ${percentWithInterval(attackAccuracy, 1)}`,
  );
  return `Utility against leakage. ${said.join("; ")}.`;
}

/** One plot with a legend; where colours repeat, one an attack with the names beside it, which a phone has no room for. */
function plots(conditions: readonly Condition[], explanation: Html): Html {
  if (colorsDiffer(conditions.map(({ labelIndex }) => labelIndex)))
    return html`<div class="beside">
<figure>${chart((width) => utilityLeakageChart(conditions, width), spoken(conditions))}</figure>
<div class="aside">${legend(conditions)}
${explanation}</div>
</div>`;
  const figures = comparisonsOf(conditions).map(({ title, all }) => {
    const draw = (width: number) => utilityLeakageChart(all, width, width === WITH_NAMES.wide ? "beside" : "few");
    return html`<h3>${title}</h3>
<figure>${chart(draw, spoken(all), WITH_NAMES)}</figure>`;
  });
  return html`${figures}
<div class="narrow">${legend(conditions)}</div>
${explanation}`;
}

/** The plot of utility against leakage, and the table of every cell with all its numbers. */
export function tradeOffSection(conditions: readonly Condition[]): Html {
  const rows = conditions.flatMap((condition) => {
    const cells = condition.cells.map((cell) => ({
      cells: row(condition, String(cell.seed), cell, folderName(cell.run)),
      className: condition.cells.length > 1 ? "part" : "",
    }));
    return condition.cells.length === 1
      ? cells
      : [
          { cells: row(condition, `mean of ${fixed(condition.cells.length, 0)}`, condition, ""), className: "whole" },
          ...cells,
        ];
  });
  const explanation = html`<p>Down and to the right is better: a useful model that leaks little. Whiskers are 95&nbsp;% intervals. Dashed rules are the floors, what an attacker reaches without optimising; an attack that is not shown to lie above them is not shown to have found anything.${
    conditions.some(({ cells }) => cells.length > 1) ? " Faint open marks are single seeds." : ""
  }</p>`;
  return html`${plots(conditions, explanation)}
${table("Every cell: value and 95 % interval", COLUMNS, rows)}`;
}
