// Pieces of pages that are written from results, so that no number in them is typed by hand.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sentencesOf } from "../dist/report/summary.js";

/** What a study's numbers allow to be said of each attack, a point each. */
export function findingPoints({ paragraphs }) {
  return paragraphs.map((paragraph) => `* ${paragraph.title}: ${sentencesOf(paragraph).join(" ")}`);
}

/** Markdown as the project's formatter has it. */
export function formatted(text) {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const biome = join(cwd, "node_modules/.bin/biome");
  return execFileSync(biome, ["format", "--stdin-file-path=page.md"], { cwd, input: text, encoding: "utf8" });
}

/** A page with new content between its marks `<!-- name:begin -->` and `<!-- name:end -->`. */
export function between(text, name, content) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}
