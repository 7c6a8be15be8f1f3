import { join, resolve } from "node:path";
import { setThreads } from "../engine/runtime.ts";
import type { EventSink } from "../study/events.ts";
import { expandStudy } from "../study/plan.ts";
import { loadData, loadWeights } from "../study/read-study.ts";
import { stepFolder } from "../study/step-record.ts";
import { openBullmqQueue } from "./bullmq-queue.ts";
import { readGrid } from "./grid-file.ts";
import { openRunStore, type StoreChoice } from "./open-run-store.ts";
import { queueAddress } from "./queue-address.ts";
import type { RunStore } from "./run-store.ts";
import { type WorkerPlan, type WorkOptions, workOn } from "./work-on.ts";

/** Grids whose plans are kept in memory, with their data. */
const KEPT_PLANS = 3;

export interface WorkerOptions {
  /** The folder of runs: what grid and workers share, or, with `store`, this machine's own. */
  readonly runsDir: string;
  /** Address of the queue's server. */
  readonly queue: string;
  /** A bucket in which grid and workers meet instead. */
  readonly store?: StoreChoice;
  readonly threads: number;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** Seconds without a sign of life after which this worker has lost its step to another. */
  readonly lease: number;
}

/**
 * Does steps of grids, one at a time, until the signal is aborted; the step under way is then saved and goes back into the queue.
 * @returns how many steps it did.
 * @throws UserError where this machine cannot work: no server, other plans by another version, data that is not there; the file
 *   system's own error where the disk is full or may not be written. The step goes back into the queue.
 */
export async function runWorker(options: WorkerOptions): Promise<{ steps: number }> {
  const { queue: url, threads, lease, store, ...rest } = options;
  const runsDir = resolve(rest.runsDir);
  setThreads(threads);
  const address = queueAddress(url);
  const runs = await openRunStore(runsDir, store);
  const queue = await openBullmqQueue({ address, name: await runs.queueName(), lease });
  try {
    return await workOn({ ...rest, queue, server: address.shown, runs, plan: planner(runs, runsDir, rest.events) });
  } finally {
    await queue.close();
  }
}

/** Plans grids from their files, each once. */
function planner(runs: RunStore, runsDir: string, events: EventSink): WorkOptions["plan"] {
  const kept = new Map<string, WorkerPlan>();
  return async (name) => {
    const grid = await readGrid(runs, name);
    if (grid === undefined) return undefined;
    const { read, text, version } = grid;
    const known = kept.get(text);
    if (known !== undefined) return known;
    const data = await loadData(read, join(runsDir, "cache"), events);
    const { steps } = expandStudy(read.study, data, await loadWeights(read));
    const plan = { version, steps: new Map(steps.map((step) => [stepFolder(step.spec), step])) };
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= KEPT_PLANS) kept.delete(oldest);
    kept.set(text, plan);
    return plan;
  };
}
