import { UserError } from "../engine/errors.ts";
import { type EventSink, fanOut, throttleProgress } from "../study/events.ts";
import { isInterruption } from "../study/interrupted.ts";
import { versions } from "../study/provenance.ts";
import { stepRunner } from "../study/steps/planned.ts";
import type { QueuedStep } from "./queue.ts";
import type { RunStore } from "./run-store.ts";
import { StoreError } from "./s3/failure.ts";
import type { Planner } from "./worker-plans.ts";

/** Milliseconds between two looks whether a grid was cancelled. */
const LOOK = 3000;

/** Wraps what keeps this machine from working on a grid at all. */
export class Unfit extends Error {}

/** A step that a queue handed out, and what it takes to do it. */
export interface StepWork {
  readonly queued: QueuedStep;
  /** Tells the grid what happens. */
  readonly report: EventSink;
  /** Where grid and workers meet. */
  readonly runs: RunStore;
  readonly plan: Planner;
  /** Told what happens here. */
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/**
 * Does one step; false where its grid has ended meanwhile.
 * @throws Unfit where the grid cannot be planned here, or not so that it has the step; Interrupted when the signal is aborted; StoreError
 *   where the run store fails; else what the step throws.
 */
export async function doStep({ queued, report, runs, plan, events, signal }: StepWork): Promise<boolean> {
  const planned = await plan(queued.grid, signal).catch((cause: unknown) => {
    if (isInterruption(cause)) throw cause;
    if (cause instanceof StoreError && cause.passing) throw cause;
    throw new Unfit("no plan", { cause });
  });
  if (planned === undefined) return false;
  const step = planned.steps.get(queued.id);
  if (step === undefined) {
    const cause = new UserError(
      `${queued.name}: this worker (version ${versions().package}) plans other steps than the grid (version ${planned.version}): ` +
        "use one version, and the same data, on all machines",
    );
    throw new Unfit("another plan", { cause });
  }
  const cancel = new AbortController();
  const looking = setInterval(() => {
    // A store that does not answer for a moment has cancelled nothing.
    runs.readGrid(queued.grid).then(
      (grid) => grid === undefined && cancel.abort(),
      () => undefined,
    );
  }, LOOK);
  const tell = fanOut(events, throttleProgress(report, 1000));
  const store = runs.openSteps({
    // What it rests on is done, and was told of.
    events: (event) => {
      if (!(event.type === "step-finished" && event.id !== queued.id)) tell(event);
    },
    signal: AbortSignal.any([signal, cancel.signal]),
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
