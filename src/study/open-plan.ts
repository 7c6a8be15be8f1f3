import { join, resolve } from "node:path";
import { assetsFolder } from "./assets.ts";
import type { EventSink } from "./events.ts";
import { expandStudy, type StudyPlan } from "./plan.ts";
import { loadData, loadWeights, readStudy } from "./read-study.ts";
import { openStepStore, type StepStore } from "./step-store.ts";
import type { Study } from "./study-schema.ts";

/** A study's steps, and the stores in which finished ones lie. */
export interface OpenedPlan {
  readonly study: Study;
  readonly plan: StudyPlan;
  readonly store: StepStore;
  /** Folder of the store's steps. */
  readonly steps: string;
}

/** Reads a study and plans its steps; nothing is trained. @throws UserError for a study that cannot be run; Interrupted when the signal is aborted. */
export async function openPlan(options: {
  readonly studyFile: string;
  readonly runsDir: string;
  readonly events?: EventSink;
  readonly signal?: AbortSignal;
}): Promise<OpenedPlan> {
  const { studyFile, events = () => {}, signal = new AbortController().signal } = options;
  const runsDir = resolve(options.runsDir);
  const read = await readStudy(studyFile);
  const weights = await loadWeights(read);
  const plan = expandStudy(read.study, await loadData(read, join(runsDir, "cache"), events, signal), weights);
  const steps = join(runsDir, "steps");
  const store = openStepStore({ root: steps, shipped: [assetsFolder], events, signal });
  return { study: read.study, plan, store, steps };
}
