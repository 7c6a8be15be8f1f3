import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { EventSink } from "../study/events.ts";
import { Interrupted } from "../study/interrupted.ts";
import { takeLock } from "../study/lock.ts";
import { runStudy } from "../study/pipeline.ts";
import { expandStudy } from "../study/plan.ts";
import { loadData, loadWeights, readStudy } from "../study/read-study.ts";
import type { StudyResult } from "../study/result.ts";
import { openBullmqQueue } from "./bullmq-queue.ts";
import { dispatch } from "./dispatch.ts";
import { gridName, publishGrid } from "./grid-file.ts";
import { gridPath } from "./grid-folder.ts";
import { openRunStore, type StoreChoice } from "./open-run-store.ts";
import { queueAddress } from "./queue-address.ts";

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
  const { studyFile, events, signal, priority, lease, includePrivate, threads } = options;
  const address = queueAddress(options.queue);
  const runsDir = resolve(options.runsDir);
  const read = await readStudy(studyFile);
  const plan = expandStudy(read.study, await loadData(read, join(runsDir, "cache"), events), await loadWeights(read));
  const name = gridName(runsDir, read);
  const runs = await openRunStore(runsDir, options.store);
  const queue = await openBullmqQueue({ address, name: await runs.queueName(), lease });
  let failedSteps: ReadonlyMap<string, string>;
  try {
    await mkdir(dirname(gridPath(runsDir, name)), { recursive: true });
    const lock = await takeLock(`${gridPath(runsDir, name)}.lock`, `the grid ${name}`);
    try {
      await publishGrid(runs, name, read);
      failedSteps = await dispatch({
        queue,
        study: read.study.name,
        cells: plan.cells.length,
        steps: plan.steps,
        ends: [...(plan.linearProbe ? [plan.linearProbe] : []), ...plan.cells.map((cell) => cell.evaluation)],
        finished: runs.finished,
        grid: name,
        priority,
        events,
        signal,
      });
    } finally {
      await runs.endGrid(name);
      await lock.free();
    }
  } finally {
    await queue.close();
  }
  if (signal.aborted) throw new Interrupted(`the grid ${name}`);
  // Every step has been told of already; what goes wrong now has not.
  const gathering: EventSink = (event) => {
    if (event.type !== "study-started" && !(event.type === "step-finished" && event.source !== "run")) events(event);
  };
  return runStudy({
    ...{ studyFile, runsDir, includePrivate, threads, events: gathering, signal, failedSteps },
    openSteps: runs.openSteps,
  });
}
