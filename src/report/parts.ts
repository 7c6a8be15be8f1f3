import type { PlotOptions } from "@observablehq/plot";
import { type ChartSymbol, colorOf, isHollow, symbolOf } from "./charts/look.ts";
import type { Condition } from "./conditions.ts";
import { type Html, type HtmlPart, html, trusted } from "./escape.ts";
import { renderSvg } from "./svg.ts";

/** A part of the page with a heading that the page's navigation can reach. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** Chart widths for a desk and for a phone; the style sheet shows one of them. */
interface ChartWidths {
  readonly wide: number;
  readonly narrow: number;
}

const WIDTHS: ChartWidths = { wide: 680, narrow: 340 };

/**
 * A chart in two widths, since one drawing scaled down to a phone could not be read.
 * @param label what a screen reader says; the numbers must stand in a table near by.
 */
export function chart(draw: (width: number) => PlotOptions, label: string, widths = WIDTHS): Html {
  return html`<div class="chart wide">${trusted(renderSvg(draw(widths.wide), label))}</div>
<div class="chart narrow">${trusted(renderSvg(draw(widths.narrow), label))}</div>`;
}

/** A chart that is small enough to be the same everywhere. */
export function smallChart(draw: (width: number) => PlotOptions, label: string, width: number): Html {
  return html`<div class="chart">${trusted(renderSvg(draw(width), label))}</div>`;
}

const SYMBOL_PATHS: Readonly<Record<ChartSymbol, string>> = {
  circle: "M7 2.5a4.5 4.5 0 1 0 .01 0z",
  square: "M3 3h8v8H3z",
  triangle: "M7 2 12 11H2z",
  diamond2: "M7 1.5 12.5 7 7 12.5 1.5 7z",
  star: "M7 1l1.6 3.9 4.2.3-3.2 2.7 1 4.1L7 9.8 3.4 12l1-4.1L1.2 5.2l4.2-.3z",
  times: "M3 3l8 8M11 3l-8 8",
  wye: "M7 12V7L3 4M7 7l4-3",
};

function key(symbol: ChartSymbol, color: string, hollow = false): Html {
  const open = hollow || symbol === "times" || symbol === "wye";
  return html`<svg class="key" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path d="${SYMBOL_PATHS[symbol]}" fill="${open ? "none" : color}" stroke="${color}" stroke-width="1.6"/></svg>`;
}

/** A small round mark in a condition's colour, as its points on charts are. */
export function colorKey(labelIndex: number, hollow = isHollow(labelIndex)): Html {
  return key("circle", colorOf(labelIndex), hollow);
}

/** The legend of conditions: colours for defenses and, where the study has several attacks, symbols for attacks. */
export function legend(conditions: readonly Condition[]): Html {
  const labels = new Map(conditions.map((condition) => [condition.label, condition.labelIndex]));
  const attacks = new Map(conditions.map((condition) => [condition.attack, condition.attackIndex]));
  const symbols =
    attacks.size < 2
      ? []
      : [...attacks].map(
          ([attack, index]) => html`<li class="attack">${key(symbolOf(index), "currentColor")}${attack}</li>`,
        );
  return html`<ul class="legend">${[...labels].map(([label, index]) => html`<li>${colorKey(index)}${label}</li>`)}${symbols}</ul>`;
}

/** A column of a table: numbers stand to the right. */
export interface Column {
  readonly name: HtmlPart;
  readonly numeric?: boolean;
}

/**
 * A table in a box of its own that scrolls sideways where it is too wide; the first cell of a row is its heading.
 * With class `prose` long texts break into lines instead.
 */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly { readonly cells: readonly HtmlPart[]; readonly className?: string }[],
  className = "",
): Html {
  const side = (i: number) => (columns[i]?.numeric ? "num" : "txt");
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table class="${className}"><caption class="quiet">${caption}</caption>
<thead><tr>${columns.map((column, i) => html`<th scope="col" class="${side(i)}">${column.name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ cells, className }) =>
      html`<tr class="${className ?? ""}">${cells.map((cell, i) =>
        i === 0 ? html`<th scope="row" class="${side(i)}">${cell}</th>` : html`<td class="${side(i)}">${cell}</td>`,
      )}</tr>
`,
  )}</tbody></table></div>`;
}

/** A table that opens on demand, for the numbers behind a chart. */
export function foldedTable(...args: Parameters<typeof table>): Html {
  return html`<details><summary>${args[0]}</summary>${table(...args)}</details>`;
}
