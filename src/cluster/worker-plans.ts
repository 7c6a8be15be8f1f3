import { join } from "node:path";
import type { EventSink } from "../study/events.ts";
import { expandStudy } from "../study/plan.ts";
import { loadData, loadWeights } from "../study/read-study.ts";
import { stepFolder } from "../study/step-record.ts";
import type { PlannedStep } from "../study/steps/planned.ts";
import { readGrid } from "./grid-file.ts";
import type { RunStore } from "./run-store.ts";

/** Grids whose plans are kept in memory, with their data. */
const KEPT_PLANS = 3;

/** A plan that a worker has made of a grid. */
export interface WorkerPlan {
  /** Version of the package that planned the grid. */
  readonly version: string;
  /** Steps by their folders. */
  readonly steps: ReadonlyMap<string, PlannedStep>;
}

/** Plans a grid by its name; undefined where it has ended. What it throws, this machine cannot mend, but for Interrupted when the signal is aborted. */
export type Planner = (grid: string, signal: AbortSignal) => Promise<WorkerPlan | undefined>;

/** Plans grids from their files, each once. */
export function planner(runs: RunStore, runsDir: string, events: EventSink): Planner {
  const kept = new Map<string, WorkerPlan>();
  return async (name, signal) => {
    const grid = await readGrid(runs, name);
    if (grid === undefined) return undefined;
    const { read, text, version } = grid;
    const known = kept.get(text);
    if (known !== undefined) return known;
    const data = await loadData(read, join(runsDir, "cache"), events, signal);
    const { steps } = expandStudy(read.study, data, await loadWeights(read));
    const plan = { version, steps: new Map(steps.map((step) => [stepFolder(step.spec), step])) };
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= KEPT_PLANS) kept.delete(oldest);
    kept.set(text, plan);
    return plan;
  };
}
