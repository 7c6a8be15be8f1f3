import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { FONT_FAMILY } from "./charts/look.ts";
import { escapeText } from "./escape.ts";
import { themes } from "./style.ts";

/** The little of a DOM element that is used here. */
interface SvgElement {
  readonly outerHTML: string;
  readonly attributes: Iterable<{ readonly name: string; value: string }>;
  setAttribute(name: string, value: string): void;
  querySelectorAll(selector: string): Iterable<SvgElement>;
}

/** Three places are far below what a screen shows, and make the same chart the same text on every machine. */
function roundNumbers(element: SvgElement): void {
  for (const attribute of element.attributes) {
    if (!/\.\d{4}/.test(attribute.value)) continue;
    attribute.value = attribute.value.replace(/-?\d*\.\d{4,}(?:e-?\d+)?/g, (number) =>
      String(+Number(number).toFixed(3)),
    );
  }
}

/**
 * Draws a chart without a browser, for a page with the report's style sheet. Namespace, typeface, role and spoken label are set on the root.
 * Charts must not ask for a legend or a title, which would turn the result into HTML.
 *
 * @param label what a screen reader says instead of the picture.
 */
export function renderSvg(options: Plot.PlotOptions, label: string): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg: SvgElement = Plot.plot({ ...options, document });
  svg.setAttribute("font-family", FONT_FAMILY);
  roundNumbers(svg);
  for (const element of svg.querySelectorAll("*")) roundNumbers(element);
  // Written here, since the DOM's serialiser leaves "<" in attributes, which XML does not allow.
  const root = `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeText(label)}" `;
  return svg.outerHTML.replace(/^<svg /, () => root);
}

/** A chart as a file of its own: `renderSvg`, with the colours of both themes in it where it has any. */
export function svgFile(options: Plot.PlotOptions, label: string): string {
  const drawn = renderSvg(options, label);
  const style = drawn.includes("var(--") ? `<style>${themes}\nsvg{color:var(--ink)}</style>` : "";
  return `${drawn.replace(">", () => `>${style}`)}\n`;
}
