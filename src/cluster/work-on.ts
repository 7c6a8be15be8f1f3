import { setTimeout } from "node:timers/promises";
import { UserError } from "../engine/errors.ts";
import { type EventSink, fanOut, throttleProgress } from "../study/events.ts";
import { isInterruption } from "../study/interrupted.ts";
import { versions } from "../study/provenance.ts";
import { type PlannedStep, stepRunner } from "../study/steps/planned.ts";
import { PutBack, type QueuedStep, type StepQueue } from "./queue.ts";
import type { RunStore } from "./run-store.ts";
import { StoreError } from "./s3/failure.ts";

/** Milliseconds between two looks whether a grid was cancelled. */
const LOOK = 3000;
/** Milliseconds until a step goes back whose grid could not be read, since the run store was away. */
const AWAY = 2000;
/** What no other attempt on this machine would mend. */
const ENVIRONMENT = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO"];

/** A plan that a worker has made of a grid. */
export interface WorkerPlan {
  /** Version of the package that planned the grid. */
  readonly version: string;
  /** Steps by their folders. */
  readonly steps: ReadonlyMap<string, PlannedStep>;
}

/** What `workOn` works on: a queue that is open, and plans. */
export interface WorkOptions {
  /** Where grid and workers meet. */
  readonly runs: RunStore;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  readonly queue: StepQueue;
  /** The server's address, for messages. */
  readonly server: string;
  /** Plans a grid; undefined where it has ended. What it throws, this machine cannot mend. */
  plan(grid: string): Promise<WorkerPlan | undefined>;
}

/**
 * Does steps from an open queue, one at a time, until the signal is aborted; the step under way is then saved and goes back.
 * @returns how many steps it did.
 * @throws what keeps this machine from working on: a plan that cannot be made or lacks the step, a disk that is full or may not be
 *   written. The step goes back into the queue.
 */
export async function workOn({ queue, server, ...rest }: WorkOptions): Promise<{ steps: number }> {
  const { events, signal } = rest;
  let steps = 0;
  const end = new AbortController();
  const stop = AbortSignal.any([signal, end.signal]);
  let warned = "";
  const ended = new Promise<void>((done) => {
    if (stop.aborted) done();
    stop.addEventListener("abort", () => done(), { once: true });
  });
  const working = await queue.work({
    onError(message) {
      if (message !== warned && !stop.aborted)
        events({ type: "warning", message: `${server}: ${message}; trying again` });
      warned = message;
    },
    async process(queued, report) {
      if (stop.aborted) throw new PutBack();
      try {
        if (await doStep({ ...rest, queued, report, signal: stop })) steps++;
      } catch (error) {
        if (isInterruption(error)) throw new PutBack();
        if (error instanceof StoreError && error.passing) {
          events({ type: "warning", message: `${error.message}; trying again` });
          await setTimeout(AWAY, undefined, { ref: false });
          throw new PutBack();
        }
        if (!(error instanceof Unfit) && !isEnvironment(error)) throw error;
        // Nothing that another worker could not do: this one leaves.
        end.abort(error instanceof Unfit ? error.cause : error);
        throw new PutBack();
      }
    },
  });
  await ended;
  await working.close();
  if (end.signal.aborted) throw end.signal.reason;
  return { steps };
}

/** Wraps what keeps this machine from working on a grid at all. */
class Unfit extends Error {}

/** Does one step; false where its grid has ended meanwhile. */
async function doStep(
  options: Omit<WorkOptions, "queue" | "server"> & {
    readonly queued: QueuedStep;
    readonly report: EventSink;
  },
): Promise<boolean> {
  const { queued, report, runs, plan, events, signal } = options;
  const planned = await plan(queued.grid).catch((cause: unknown) => {
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

function isEnvironment(error: unknown): boolean {
  if (error instanceof StoreError) return true;
  return error instanceof Error && "code" in error && ENVIRONMENT.includes(String(error.code));
}
