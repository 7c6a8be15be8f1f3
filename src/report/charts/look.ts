import type { PlotOptions } from "@observablehq/plot";

/** The typeface of page and charts. */
export const FONT_FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** How many colours the style sheet defines as `--c0` … `--c7`. */
const COLORS = 8;
const SYMBOLS = ["circle", "square", "triangle", "diamond2", "star", "times", "wye"] as const;

/** The shape of a point on a chart. */
export type ChartSymbol = (typeof SYMBOLS)[number];

/** The CSS colour of a condition by its label's place: 0 is the undefended model. The others repeat after seven. */
export function colorOf(labelIndex: number): string {
  return `var(--c${labelIndex === 0 ? 0 : 1 + ((labelIndex - 1) % (COLORS - 1))})`;
}

/** Whether a condition's mark is open: its colour is that of an earlier one, whose mark is filled. */
export function isHollow(labelIndex: number): boolean {
  return labelIndex >= COLORS;
}

/** Fill and stroke of a condition's mark, which stands out from lines that it covers. */
export function markOf(labelIndex: number): { readonly fill: string; readonly stroke: string } {
  const color = colorOf(labelIndex);
  const paper = "var(--paper)";
  return isHollow(labelIndex) ? { fill: paper, stroke: color } : { fill: color, stroke: paper };
}

/** Whether each of these places has a colour of its own. */
export function colorsDiffer(labelIndices: readonly number[]): boolean {
  const places = [...new Set(labelIndices)];
  return new Set(places.map(colorOf)).size === places.length;
}

/** The symbol of an attack by its place in the study. Repeats after seven. */
export function symbolOf(attackIndex: number): ChartSymbol {
  return SYMBOLS[attackIndex % SYMBOLS.length] ?? "circle";
}

/** Muted text and lines, as the page's style sheet has them. */
export const MUTED = "var(--muted)";
export const LINE = "var(--line)";

/** What all charts share: typeface, colours given as they are, no outer figure. */
export function chartBase(width: number, height: number): PlotOptions {
  return {
    width,
    height,
    style: { fontFamily: FONT_FAMILY, fontSize: "12px", background: "none", overflow: "visible" },
    color: { type: "identity" },
  };
}
