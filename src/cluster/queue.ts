import type { StudyEvent } from "../study/events.ts";

/** A step to be done, as a queue holds it. What it computes lies in the folder of runs that all workers share. */
export interface QueuedStep {
  /** The folder's name in the store of steps: kind and content id. Two of the same id are one. */
  readonly id: string;
  /** What people read: `target tl-dmi, seed 1`. */
  readonly name: string;
  /** Name of the grid whose plan has the step. */
  readonly grid: string;
  /** 1 to 2,000,000; lower numbers go first. */
  readonly priority: number;
}

/** How a queue holds a step; absent ones were never added, are done, or were lost with the server. */
export type QueuedState =
  | { readonly state: "absent" | "waiting" | "active" }
  | { readonly state: "failed"; readonly message: string };

/** What a queue tells of its steps. */
export type QueueEvent =
  | { readonly type: "done" | "failed" | "silent"; readonly id: string }
  | { readonly type: "progress"; readonly id: string; readonly event: StudyEvent };

/** Numbers for people. */
export interface QueueCounts {
  readonly running: number;
  readonly waiting: number;
  readonly workers: number;
}

/**
 * Hands steps to workers, each at least once. It need not be more than that: whoever computes a step holds its lock in the store, and a
 * step that is there is not computed again.
 */
export interface StepDispatch {
  /** Adds steps; those that it has already are left as they are, failed ones too. */
  add(steps: readonly QueuedStep[]): Promise<void>;
  look(id: string): Promise<QueuedState>;
  /** Takes a step out unless a worker is at it. */
  remove(id: string): Promise<void>;
  counts(): Promise<QueueCounts>;
  /** Calls `listener` for what happens from now on; events may be lost when the server is. Gives the function that ends it. */
  watch(listener: (event: QueueEvent) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A queue on a server: workers open it as grids do. */
export interface StepQueue extends StepDispatch {
  /** Begins to take steps, one at a time. */
  work(worker: StepWorker): Promise<WorkingQueue>;
}

/** What a worker brings. */
export interface StepWorker {
  /**
   * Does a step; its end is the step's end. `report` tells the grid what happens.
   * @throws PutBack for a step that somebody else must do; `UserError` for one that cannot succeed; anything else is tried again.
   */
  process(step: QueuedStep, report: (event: StudyEvent) => void): Promise<void>;
  /** Told where the server cannot be reached, as often as it is tried. */
  onError(message: string): void;
}

/** A queue from which steps are taken. */
export interface WorkingQueue {
  /** Takes no more steps and waits for the one under way. */
  close(): Promise<void>;
}

/** Thrown where a step is not this worker's: it goes back to where it was, and counts as no attempt. */
export class PutBack extends Error {
  override readonly name = "PutBack";
}
