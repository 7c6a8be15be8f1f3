import type { StepSource } from "../study/events.ts";
import type { StepStore, StepStoreOptions } from "../study/step-store.ts";

/** What a step store is opened with, but for where it lies: that is the run store's to know. */
export type OpenStepsOptions = Omit<StepStoreOptions, "root" | "shipped">;

/** A finished step: the seconds that it took, and whether it lies in the store or came with the package. */
export interface FinishedStep {
  readonly seconds: number;
  readonly source: Exclude<StepSource, "run">;
}

/** What a grid asks a run store about finished steps. Steps are named by their folders. */
export interface FinishedSteps {
  /** A finished step; undefined for one that isn't there whole. */
  find(folder: string): Promise<FinishedStep | undefined>;
  /**
   * All that may be finished, where one question tells that of many steps: only these are then asked about one by one. Absent where
   * each step is cheap to ask about.
   */
  names?(): Promise<ReadonlySet<string>>;
}

/** Where the grid and the workers of a study meet: the grids that go on, and the steps that are done. */
export interface RunStore {
  /** Where it is, for messages. */
  readonly shown: string;
  /** The name of the queue that belongs to the store: grid and workers meet only where they share it. The first to ask makes it up. */
  queueName(): Promise<string>;
  /** Lets workers see a grid; it goes on until `endGrid`. */
  writeGrid(name: string, text: string): Promise<void>;
  /** What was written; undefined where the grid has ended or was cancelled. */
  readGrid(name: string): Promise<string | undefined>;
  /** Ends a grid: workers stop what they do for it, with a checkpoint, and drop what waits. */
  endGrid(name: string): Promise<void>;
  readonly finished: FinishedSteps;
  /** Opens the store of steps for one who computes, or needs, some of them. */
  openSteps(options: OpenStepsOptions): StepStore;
}
