import { resolve } from "node:path";
import { setThreads } from "../engine/runtime.ts";
import type { EventSink } from "../study/events.ts";
import { openBullmqQueue } from "./bullmq-queue.ts";
import { openRunStore, type StoreChoice } from "./open-run-store.ts";
import { queueAddress } from "./queue-address.ts";
import { workOn } from "./work-on.ts";
import { planner } from "./worker-plans.ts";

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
