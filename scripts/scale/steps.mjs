// What the package itself takes for a step that computes nothing, and what a step asks of a bucket.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { folderStore } from "../../dist/cluster/folder-store.js";
import { openSharedSteps } from "../../dist/cluster/s3/shared-steps.js";
import { stepGraph } from "../../dist/cluster/step-graph.js";
import { stepRunner } from "../../dist/study/steps/planned.js";
import { syntheticPlan } from "../../test/faults/synthetic/plan.mjs";

const never = new AbortController().signal;
const CELLS = 10;

async function inScratch(work) {
  const dir = mkdtempSync(join(tmpdir(), "tldmi-scale-"));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Seconds and bytes of memory that the grid takes to plan so many cells. */
export async function measurePlan(cells) {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const began = performance.now();
  const { steps, ends } = syntheticPlan({ cells, milliseconds: 0, runsDir: tmpdir() });
  const graph = await stepGraph([ends], async () => false);
  const seconds = (performance.now() - began) / 1000;
  globalThis.gc?.();
  return { seconds, bytes: process.memoryUsage().heapUsed - before, steps: steps.length, ready: graph.ready().length };
}

/** Seconds of a step that computes nothing, in a folder: lock, checkpoints, record, hashes, renames. */
export function measureStep() {
  return inScratch(async (runsDir) => {
    const { steps, ends } = syntheticPlan({ cells: CELLS, milliseconds: 0, runsDir });
    const run = stepRunner(folderStore(runsDir).openSteps({ events: () => {}, signal: never }), () => {});
    const began = performance.now();
    for (const end of ends) await run(end);
    return (performance.now() - began) / 1000 / steps.length;
  });
}

/** Requests of a bucket by their kind, for one cell of which each step is done on a machine of its own. */
export function measureRequests() {
  return inScratch(async (root) => {
    const { steps } = syntheticPlan({ cells: CELLS, milliseconds: 0, runsDir: root });
    const counts = { get: 0, put: 0, list: 0, remove: 0 };
    const bucket = memoryBucket(counts);
    for (const [machine, step] of steps.entries()) {
      const runsDir = join(root, String(machine));
      const store = openSharedSteps({ runsDir, bucket, events: () => {}, signal: never });
      await stepRunner(store, () => {})(step);
    }
    return Object.fromEntries(Object.entries(counts).map(([kind, count]) => [kind, count / CELLS]));
  });
}

/** Mean bytes and files of a store's finished steps, by their kind. */
export async function sizesOf(folder, names) {
  const kinds = new Map();
  for (const name of names) {
    const record = JSON.parse(await readFile(join(folder, name, "step.json"), "utf8"));
    const bytes = record.files.reduce((sum, file) => sum + file.bytes, 0);
    const kind = name.replace(/-[0-9a-f]{16}$/, "");
    kinds.set(kind, [...(kinds.get(kind) ?? []), { bytes, files: record.files.length }]);
  }
  const mean = (all, key) => all.reduce((sum, one) => sum + one[key], 0) / all.length;
  return [...kinds].map(([kind, all]) => ({
    kind,
    steps: all.length,
    bytes: mean(all, "bytes"),
    files: mean(all, "files"),
  }));
}

function memoryBucket(counts) {
  const objects = new Map();
  const put = (key, bytes) => {
    counts.put++;
    objects.set(key, Buffer.from(bytes));
  };
  return {
    shown: "memory",
    nameOf: (key) => key,
    async get(key) {
      counts.get++;
      return objects.get(key);
    },
    async getFile(key, path) {
      counts.get++;
      await writeFile(path, objects.get(key));
    },
    put: async (key, bytes) => put(key, bytes),
    async putNew(key, bytes) {
      put(key, bytes);
      return true;
    },
    putFile: async (key, path) => put(key, readFileSync(path)),
    async list(start) {
      counts.list++;
      return [...objects.keys()].filter((key) => key.startsWith(start)).map((key) => key.slice(start.length));
    },
    async remove(keys) {
      if (keys.length > 0) counts.remove++;
      for (const key of keys) objects.delete(key);
    },
  };
}
