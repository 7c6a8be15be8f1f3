import type { Curve } from "../../study/result.ts";
import { type CurvePanel, curveChart, curvePanels, dashOf } from "../charts.ts";
import { type Html, html } from "../escape.ts";
import { percent, significant } from "../numbers.ts";
import { foldedTable, smallChart } from "../parts.ts";

const WIDTH = 330;

const show = (panel: CurvePanel, value: number) => (panel.unit === "share" ? percent(value, 1) : significant(value));

function figure(panel: CurvePanel): Html {
  const what = panel.names.join(", ");
  return html`<figure class="small"><figcaption>${panel.title}${panel.unit === "share" ? ", %" : ""}</figcaption>
<ul class="legend">${panel.names.map(
    (name, i) =>
      html`<li><svg class="key" width="22" height="8" viewBox="0 0 22 8" aria-hidden="true"><path d="M0 4h22" stroke="currentColor" stroke-width="1.6" stroke-dasharray="${dashOf(i)}"/></svg>${name}</li>`,
  )}</ul>
${smallChart((width) => curveChart(panel, width), `Training of ${panel.title}: ${what} by ${panel.xLabel}; the table below has first and last values.`, WIDTH)}</figure>
`;
}

/** Training curves as small multiples, and a table of where each began and ended. */
export function curvesSection(curves: readonly Curve[]): Html {
  const panels = curvePanels(curves);
  const rows = panels.flatMap((panel) =>
    panel.lines.map(({ name, seed, points }) => ({
      cells: [
        panel.title,
        name,
        String(seed),
        panel.xLabel,
        show(panel, points[0]?.[1] ?? Number.NaN),
        show(panel, points.at(-1)?.[1] ?? Number.NaN),
        String(points.at(-1)?.[0] ?? "–"),
      ],
    })),
  );
  const columns = [
    { name: "training" },
    { name: "curve" },
    { name: "seed", numeric: true },
    { name: "against" },
    { name: "first", numeric: true },
    { name: "last", numeric: true },
    { name: "at", numeric: true },
  ];
  return html`<div class="multiples">${panels.map(figure)}</div>
${foldedTable("First and last value of each training curve", columns, rows)}`;
}
