import { identitiesChart, identityAccuracies } from "../charts.ts";
import type { Comparison, Condition } from "../conditions.ts";
import { type Html, html } from "../escape.ts";
import { percent } from "../numbers.ts";
import { chart, colorKey, foldedTable } from "../parts.ts";

const WIDTHS = { wide: 1000, narrow: 340 };

function pairFigure(comparison: Comparison, first: Condition, second: Condition | undefined): Html {
  const label = `Attack accuracy of ${comparison.title} for each identity, ${first.label}${second === undefined ? "" : ` beside ${second.label}`}; the table below has the numbers.`;
  return html`<figure>
<ul class="legend"><li>${colorKey(first.labelIndex, false)}${first.label}</li>${
    second === undefined ? "" : html`<li>${colorKey(second.labelIndex, true)}${second.label}</li>`
  }</ul>
${chart((width) => identitiesChart(first, second, width), label, WIDTHS)}
<p class="quiet">${identityAccuracies(first).size} identities, sorted by attack accuracy with ${first.label}</p>
</figure>`;
}

function comparisonBlock(comparison: Comparison): Html {
  const { undefended, defended, all, title } = comparison;
  const pairs =
    undefended === undefined || defended.length === 0
      ? all.map((condition) => pairFigure(comparison, condition, undefined))
      : defended.map((condition) => pairFigure(comparison, undefended, condition));
  const values = all.map((condition) => identityAccuracies(condition));
  const names = new Map(values.flatMap((map) => [...map].map(([label, { identity }]) => [label, identity])));
  const rows = [...names].map(([label, identity]) => ({
    cells: [identity, ...values.map((map) => percent(map.get(label)?.accuracy ?? Number.NaN))],
  }));
  const columns = [{ name: "identity" }, ...all.map((condition) => ({ name: condition.label, numeric: true }))];
  return html`<h3>${title}</h3>
${pairs}
${foldedTable(`Attack accuracy of ${title} for each identity`, columns, rows)}`;
}

/** Attack accuracy of each identity, undefended beside defended. */
export function identitiesSection(comparisons: readonly Comparison[]): Html {
  return html`<p>An average hides who leaks. Each column is one identity; the line leads from its attack accuracy without the defense to that with it, averaged over seeds.</p>
${comparisons.map(comparisonBlock)}`;
}
