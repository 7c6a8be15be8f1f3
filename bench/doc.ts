// Writes docs/performance.md and its pictures from a result of the benchmark: the newest, or the file that is named.
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../src/engine/atomic-file.ts";
import { UserError } from "../src/engine/errors.ts";
import { svgFile } from "../src/report/svg.ts";
import { performancePage } from "./document.ts";
import { growthPictures } from "./growth.ts";
import { newestResult, readResult } from "./result-file.ts";
import { root } from "./root.ts";

try {
  const [given] = process.argv.slice(2);
  const result =
    given === undefined ? (await newestResult(join(root, "bench", "results"))).result : await readResult(given);
  const formatted = execFileSync(
    join(root, "node_modules", ".bin", "biome"),
    ["format", "--stdin-file-path=performance.md"],
    {
      cwd: root,
      input: performancePage(result),
      encoding: "utf8",
    },
  );
  await mkdir(join(root, "docs", "images"), { recursive: true });
  for (const { path, chart, label } of growthPictures(result.rows))
    await writeFileAtomic(join(root, "docs", path), svgFile(chart, label));
  await writeFileAtomic(join(root, "docs", "performance.md"), formatted);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
