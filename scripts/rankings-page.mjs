// Writes docs/results/rankings.md: where defenses stand in the records of two studies, beside what papers print. No number of ours is typed by hand.
// `npm run rankings-page` builds first. Usage: node scripts/rankings-page.mjs [--check]
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publishedTables, rankingsPage, readStandings } from "../dist/report/rankings/index.js";
import { formatted } from "./results-text.mjs";
import { pageArguments, writePage } from "./written-pages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
if (pageArguments.length > 0) {
  console.error("usage: node scripts/rankings-page.mjs [--check]");
  process.exit(2);
}
const results = join(root, "docs/results");
const standings = await readStandings({
  studyFiles: ["defenses", "rivals"].map((name) => join(root, `examples/${name}.yaml`)),
  results,
  runsDir: join(root, "runs"),
});
const page = rankingsPage({
  standings,
  tables: publishedTables,
  lossTrial: { first: "gmi", second: "gmi-cross-entropy" },
});
await writePage(join(results, "rankings.md"), formatted(page), "npm run rankings-page");
