import { resolve } from "node:path";
import type { EventSink } from "../study/events.ts";
import type { StudyResult } from "../study/result.ts";
import { openBullmqQueue } from "./bullmq-queue.ts";
import { openRunStore, type StoreChoice } from "./open-run-store.ts";
import { queueAddress } from "./queue-address.ts";
import { spreadStudy } from "./spread-study.ts";

/** How a study is spread. */
export interface RunGridOptions {
  readonly studyFile: string;
  /** The folder of runs: what grid and workers share, or, with `store`, this machine's own. The result lies there. */
  readonly runsDir: string;
  /** Address of the queue's server. */
  readonly queue: string;
  /** A bucket in which grid and workers meet instead. */
  readonly store?: StoreChoice;
  /** 1 to 1000; of two grids on one queue, the one with the lower number goes first. */
  readonly priority: number;
  readonly includePrivate: boolean;
  /** Threads for what is computed here: nothing, unless a finished step turns out damaged. */
  readonly threads: number;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** Seconds without a sign of life after which a worker has lost its step to another. */
  readonly lease: number;
}

/**
 * Runs a study by workers that take its steps from a queue, then puts its result together as `runStudy` does: result, cells and report
 * are those of a run on one machine. Finished steps are reused; what waits in the queue from an earlier attempt is taken up.
 * @throws UserError for a study that cannot be run, a server that doesn't answer, or a study whose grid runs already; Interrupted when
 *   the signal is aborted, and then the grid is cancelled: workers stop with a checkpoint.
 */
export async function runGrid(options: RunGridOptions): Promise<{ result: StudyResult; studyDir: string }> {
  const { queue: url, store, lease, ...study } = options;
  const address = queueAddress(url);
  const runsDir = resolve(study.runsDir);
  const runs = await openRunStore(runsDir, store);
  const openQueue = async () => openBullmqQueue({ address, name: await runs.queueName(), lease });
  return spreadStudy({ ...study, runsDir, runs, openQueue });
}
