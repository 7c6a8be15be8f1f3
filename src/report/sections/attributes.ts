import type { Measured } from "../../study/result.ts";
import { type AttributeRow, attributeRows, attributesChart } from "../charts.ts";
import type { Comparison } from "../conditions.ts";
import { type Html, html } from "../escape.ts";
import { percentWithInterval, significant } from "../numbers.ts";
import { chart, foldedTable, legend } from "../parts.ts";

const UNITS = ["accuracy", "mean absolute error"] as const;

const show = (row: AttributeRow, measured: Measured) =>
  row.unit === "accuracy"
    ? percentWithInterval(measured, 1)
    : `${significant(measured.value)}\u00a0[${significant(measured.low)},\u00a0${significant(measured.high)}]`;

function comparisonBlock(comparison: Comparison): Html {
  const rows = attributeRows(comparison.all);
  if (rows.length === 0) return html``;
  const figures = UNITS.map((unit) => {
    const own = rows.filter((row) => row.unit === unit);
    if (own.length === 0) return "";
    const label = `Attributes read from reconstructions of ${comparison.title}, ${unit}; the table below has the numbers.`;
    return html`<figure><figcaption>${unit === "accuracy" ? "Categories" : "Numbers"}</figcaption>${chart(
      (width) => attributesChart(own, width),
      label,
      { wide: 500, narrow: 340 },
    )}</figure>`;
  });
  const order = [...new Set(rows.map((row) => row.name))];
  const cells = order.flatMap((name) =>
    rows
      .filter((row) => row.name === name)
      .map((row) => ({
        cells: [
          row.name,
          row.unit,
          row.condition.label,
          show(row, row.guess),
          show(row, row.reconstruction),
          show(row, row.real),
          String(row.reconstruction.n),
        ],
      })),
  );
  const columns = [
    { name: "attribute" },
    { name: "unit" },
    { name: "defense" },
    { name: "guess", numeric: true },
    { name: "reconstructions", numeric: true },
    { name: "real images", numeric: true },
    { name: "n", numeric: true },
  ];
  return html`<h3>${comparison.title}</h3>
${legend(comparison.all)}
<div class="pair">${figures}</div>
${foldedTable(`Attributes read from reconstructions of ${comparison.title}`, columns, cells)}`;
}

/** How much of each known attribute the reconstructions reveal. */
export function attributesSection(comparisons: readonly Comparison[]): Html {
  return html`<p>The true attributes of the private identities are known here, so an attack can be checked against the truth: a regressor that has learnt from other identities reads each attribute from the reconstructions. Each band reaches from a guess that knows only the population (dashed edge) to the regressor's reading of real private images (solid edge); the farther right a point lies, the more leaks.</p>
${comparisons.map(comparisonBlock)}`;
}
