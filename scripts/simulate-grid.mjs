// Plans a grid of 10,000 cells on 200 workers from what this machine measures with synthetic steps, and writes docs/scale.md.
// Usage: npm run scale [-- STEPS_FOLDER]   the folder of a finished study's steps, whose sizes are counted
import { readdirSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import { writeFileAtomic } from "../dist/engine/atomic-file.js";
import { assetsFolder } from "../dist/study/assets.js";
import { formatted } from "./results-text.mjs";
import { scalePage } from "./scale/page.mjs";
import { measureQueue } from "./scale/queue.mjs";
import { measurePlan, measureRequests, measureStep, sizesOf } from "./scale/steps.mjs";

const PAGE = fileURLToPath(new URL("../docs/scale.md", import.meta.url));
const GRID = { cells: 10_000, workers: 200 };

const folder = process.argv[2] === undefined ? assetsFolder : resolve(process.argv[2]);
const names = readdirSync(folder).filter((name) => /-[0-9a-f]{16}$/.test(name));
if (names.length === 0) {
  process.stderr.write(`${folder}: no finished steps; name the folder "steps" of a folder of runs\n`);
  process.exit(2);
}
const { module: servers } = await runnerImport(
  fileURLToPath(new URL("../test/support/queue-servers.ts", import.meta.url)),
);
const queues = {};
for (const engine of servers.ENGINES) {
  if (!servers.isInstalled(engine)) {
    process.stderr.write(`skipped: no ${engine} is installed here\n`);
    process.exit(0);
  }
  const server = await servers.startServer(engine);
  try {
    queues[engine] = await measureQueue(engine, server.url);
  } finally {
    await server.remove();
  }
  process.stderr.write(`${engine}: ${JSON.stringify(queues[engine])}\n`);
}
const measured = {
  grid: GRID,
  queues,
  plan: await measurePlan(GRID.cells),
  step: await measureStep(),
  requests: await measureRequests(),
  sizes: await sizesOf(folder, names),
  shipped: folder === assetsFolder,
  machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`,
};
process.stderr.write(`${JSON.stringify(measured, undefined, 1)}\n`);
await writeFileAtomic(PAGE, formatted(scalePage(measured)));
process.exit(0);
