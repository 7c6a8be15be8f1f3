import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError } from "../engine/errors.ts";
import { setThreads } from "../engine/runtime.ts";
import { assetsFolder } from "../study/assets.ts";
import { type EventSink, fanOut, throttleProgress } from "../study/events.ts";
import { isInterruption } from "../study/interrupted.ts";
import { expandStudy } from "../study/plan.ts";
import { versions } from "../study/provenance.ts";
import { loadData, loadWeights } from "../study/read-study.ts";
import { stepFolder } from "../study/step-record.ts";
import { openStepStore } from "../study/step-store.ts";
import { type PlannedStep, stepRunner } from "../study/steps/planned.ts";
import { openBullmqQueue } from "./bullmq-queue.ts";
import { type Grid, gridPath, queueName, readGrid } from "./grid-file.ts";
import { PutBack, type StepWorker } from "./queue.ts";
import { queueAddress } from "./queue-address.ts";

/** Milliseconds between two looks whether a grid was cancelled. */
const LOOK = 3000;
/** Grids whose plans are kept in memory, with their data. */
const KEPT_PLANS = 3;
/** What no other attempt on this machine would mend. */
const ENVIRONMENT = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO"];

export interface WorkerOptions {
  /** The folder of runs that grid and workers share. */
  readonly runsDir: string;
  /** Address of the queue's server. */
  readonly queue: string;
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
  const { events, signal, lease } = options;
  const runsDir = resolve(options.runsDir);
  setThreads(options.threads);
  const address = queueAddress(options.queue);
  const queue = await openBullmqQueue({ address, name: await queueName(runsDir), lease });
  let steps = 0;
  const end = new AbortController();
  const stop = AbortSignal.any([signal, end.signal]);
  const plans = planner(runsDir, events);
  let warned = "";
  try {
    const ended = new Promise<void>((done) => {
      if (stop.aborted) done();
      stop.addEventListener("abort", () => done(), { once: true });
    });
    const working = await queue.work({
      onError(message) {
        if (message !== warned && !stop.aborted) {
          events({ type: "warning", message: `${address.shown}: ${message}; trying again` });
        }
        warned = message;
      },
      async process(queued, report) {
        if (stop.aborted) throw new PutBack();
        try {
          if (await doStep({ queued, report, runsDir, plans, events, signal: stop })) steps++;
        } catch (error) {
          if (isInterruption(error)) throw new PutBack();
          if (!(error instanceof Unfit) && !isEnvironment(error)) throw error;
          // Nothing that another worker could not do: this one leaves.
          end.abort(error instanceof Unfit ? error.cause : error);
          throw new PutBack();
        }
      },
    });
    await ended;
    await working.close();
  } finally {
    await queue.close();
  }
  if (end.signal.aborted) throw end.signal.reason;
  return { steps };
}

/** Wraps what keeps this machine from working on a grid at all. */
class Unfit extends Error {}

/** Does one step; false where its grid has ended meanwhile. */
async function doStep(options: {
  readonly queued: Parameters<StepWorker["process"]>[0];
  readonly report: Parameters<StepWorker["process"]>[1];
  readonly runsDir: string;
  readonly plans: (grid: Grid) => Promise<ReadonlyMap<string, PlannedStep>>;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}): Promise<boolean> {
  const { queued, report, runsDir, plans, events, signal } = options;
  const grid = await unfitWhere(() => readGrid(runsDir, queued.grid));
  if (grid === undefined) return false;
  const step = (await unfitWhere(() => plans(grid))).get(queued.id);
  if (step === undefined) {
    const cause = new UserError(
      `${queued.name}: this worker (version ${versions().package}) plans other steps than the grid (version ${grid.version}): ` +
        "use one version, and the same data, on all machines",
    );
    throw new Unfit(cause.message, { cause });
  }
  const cancel = new AbortController();
  const looking = setInterval(() => {
    access(gridPath(runsDir, queued.grid)).catch(() => cancel.abort());
  }, LOOK);
  const store = openStepStore({
    root: join(runsDir, "steps"),
    shipped: assetsFolder,
    events: fanOut(events, throttleProgress(report, 1000)),
    signal: AbortSignal.any([signal, cancel.signal]),
    waits: true,
  });
  try {
    await stepRunner(store, () => {})(step);
    return true;
  } catch (error) {
    // A cancelled grid's step is over for the queue; its checkpoint stays in the store.
    if (isInterruption(error) && cancel.signal.aborted && !signal.aborted) return false;
    throw error;
  } finally {
    clearInterval(looking);
  }
}

/** Plans grids, each once. */
function planner(runsDir: string, events: EventSink): (grid: Grid) => Promise<ReadonlyMap<string, PlannedStep>> {
  const kept = new Map<string, ReadonlyMap<string, PlannedStep>>();
  return async ({ read, text }) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const { steps } = expandStudy(
      read.study,
      await loadData(read, join(runsDir, "cache"), events),
      await loadWeights(read),
    );
    const plan = new Map(steps.map((step) => [stepFolder(step.spec), step]));
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= KEPT_PLANS) kept.delete(oldest);
    kept.set(text, plan);
    return plan;
  };
}

async function unfitWhere<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Unfit(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function isEnvironment(error: unknown): boolean {
  return error instanceof Error && "code" in error && ENVIRONMENT.includes(String(error.code));
}
