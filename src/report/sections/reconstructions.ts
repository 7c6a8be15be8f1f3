import type { ContactSheet, SheetColumn } from "../contact-sheet.ts";
import { type Html, html, trusted } from "../escape.ts";
import { percent } from "../numbers.ts";
import { colorKey } from "../parts.ts";
import { SMALL_TILE, type Sprite } from "../sprite.ts";

/** Identities in view; the others open on demand. */
const SHOWN = 12;

/** How many tiles of a row have no image. */
function missingIn(sprite: Sprite | undefined, row: number): number {
  if (sprite === undefined) return 0;
  return sprite.columns - (sprite.present[row] ?? []).filter((present) => present).length;
}

/** One row of a sprite as an element that scales with the page. `name` is the CSS class that holds the picture. */
function strip(sprite: Sprite | undefined, name: string, row: number, label: string): Html {
  const missing = missingIn(sprite, row);
  if (sprite === undefined || missing === sprite.columns) return html`<span class="absent">no image</span>`;
  const lack = missing > 0 ? `, ${missing} of ${sprite.columns} images missing` : "";
  const position = sprite.rows > 1 ? (row / (sprite.rows - 1)) * 100 : 0;
  return html`<span class="strip ${name}" role="img" aria-label="${label}${lack}" style="background-position:0 ${position.toFixed(4)}%"></span>`;
}

/** The sprite once, as a style; strips refer to it. Data URIs of base64 hold nothing that could leave the style element. */
function spriteStyle(sprite: Sprite | undefined, name: string): string {
  if (sprite === undefined) return "";
  const { tile, columns, dataUri } = sprite;
  // Drawings of very few pixels are shown with hard edges, as they are.
  const rendering = tile < SMALL_TILE ? "image-rendering:pixelated;" : "";
  return `.${name}{${rendering}aspect-ratio:${columns}/1;width:100%;max-width:${columns * 64}px;background-image:url(${dataUri})}\n`;
}

function cell(sheet: ContactSheet, { condition, sprite, accuracies }: SheetColumn, name: string, row: number): Html {
  const { identity, label } = sheet.identities[row] ?? { identity: "", label: -1 };
  const accuracy = accuracies.get(label);
  const missing = missingIn(sprite, row);
  const spoken = `Reconstructions of ${identity} by ${sheet.comparison.attack}, ${condition.label}`;
  return html`<td><span class="who">${colorKey(condition.labelIndex)}${condition.label}</span>${strip(sprite, name, row, spoken)}<span class="hit">${
    accuracy === undefined ? "not attacked" : percent(accuracy)
  }${missing > 0 && missing < (sprite?.columns ?? 0) ? html`<small>${missing} missing</small>` : ""}</span></td>`;
}

function sheetTable(sheet: ContactSheet, prefix: string, from: number, to: number): Html {
  const { references } = sheet;
  return html`<div class="scroll"><table class="sheet" style="--columns:${sheet.columns.length}">
<thead><tr><th scope="col">identity</th>${references === undefined ? "" : html`<th scope="col">private</th>`}${sheet.columns.map(
    ({ condition }) => html`<th scope="col">${colorKey(condition.labelIndex)}${condition.label}</th>`,
  )}</tr></thead>
<tbody>${sheet.identities.slice(from, to).map(
    ({ identity }, i) => html`<tr><th scope="row">${identity}</th>${
      references === undefined
        ? ""
        : html`<td class="reference"><span class="who">private</span>${strip(references, `${prefix}r`, from + i, `Private image of ${identity}`)}</td>`
    }${sheet.columns.map((column, c) => cell(sheet, column, `${prefix}c${c}`, from + i))}</tr>
`,
  )}</tbody></table></div>`;
}

function sheetBlock(sheet: ContactSheet, place: number): Html {
  const prefix = `s${place}`;
  const styles = [
    ...sheet.columns.map(({ sprite }, c) => spriteStyle(sprite, `${prefix}c${c}`)),
    spriteStyle(sheet.references, `${prefix}r`),
  ].join("");
  const rest = sheet.identities.length - SHOWN;
  return html`<h3>${sheet.comparison.title}</h3>
<style>${trusted(styles)}</style>
${sheetTable(sheet, prefix, 0, SHOWN)}
${rest > 0 ? html`<details><summary>${rest} more identities</summary>${sheetTable(sheet, prefix, SHOWN, sheet.identities.length)}</details>` : ""}
${sheet.total > sheet.identities.length ? html`<p class="quiet">${sheet.total - sheet.identities.length} further identities are not shown; their images lie in the run folders.</p>` : ""}`;
}

/** Contact sheets: an identity a row, the undefended model beside the defended ones. */
export function reconstructionsSection(sheets: readonly ContactSheet[], includePrivate: boolean): Html {
  const severalSeeds = sheets.some(({ comparison }) => comparison.all.some(({ cells }) => cells.length > 1));
  const found = sheets.some(({ references }) => references !== undefined);
  const privacy = !includePrivate
    ? "Private reference images are left out on purpose: this file can be passed on without showing anybody's photograph."
    : found
      ? "This file shows private images. Do not pass it on."
      : "Private reference images were asked for, but the run folders hold none.";
  return html`<p>Up to five reconstructions an identity, in class order, none picked by hand. The percentage is the share of this identity's reconstructions that the evaluation model recognises.${
    severalSeeds
      ? ` Images are of seed ${sheets[0]?.seed ?? ""}; those of the other seeds lie in their run folders.`
      : ""
  }</p>
<p class="note">${privacy}</p>
${sheets.map(sheetBlock)}`;
}
