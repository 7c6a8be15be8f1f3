// Where a file of the repository lies in the site. Paths have "/" between names and start at the root of either.
import { posix } from "node:path";

/** Files that stand in the site as a page with their text; of all others a copy stands there. */
const SHOWN = new Set([".yaml", ".yml", ".ts", ".sh", ""]);

export const isMarkdown = (file) => posix.extname(file) === ".md";
export const isShown = (file) => SHOWN.has(posix.extname(file));

/** `docs/README.md` is `docs/index.html`, `docs/ci.md` is `docs/ci.html`, `examples/demo.yaml` is `examples/demo.yaml.html`. */
export function pageOf(file) {
  if (isMarkdown(file)) return file.replace(/README\.md$/, "index.md").replace(/\.md$/, ".html");
  return isShown(file) ? `${file}.html` : file;
}

/** The address of one page of the site as seen from another. */
export const addressFrom = (page, other) => posix.relative(posix.dirname(page), other) || posix.basename(other);
