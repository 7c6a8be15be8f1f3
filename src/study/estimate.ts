import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setThreads } from "../engine/runtime.ts";
import { assetsFolder } from "./assets.ts";
import { costKey, finishedSteps, meanSeconds, openCostCache } from "./costs.ts";
import type { EventSink } from "./events.ts";
import { isInterruption } from "./interrupted.ts";
import { openPlan } from "./open-plan.ts";
import { canRehearse, rehearseStep, type StepCost } from "./rehearse.ts";
import { type StepSpec, stepFolder } from "./step-record.ts";
import type { StepState } from "./step-store.ts";
import type { PlannedStep } from "./steps/planned.ts";
import { wantedSteps } from "./waves.ts";

/** What a step of a study is going to cost. */
export interface StepEstimate {
  readonly name: string;
  readonly id: string;
  readonly state: StepState;
  /** Ids of the steps that it rests on. */
  readonly needs: readonly string[];
  /** Seconds still to go, and what the step asks the target; absent where nothing is to do, or where it is not known. */
  readonly cost?: StepCost;
  /** Where the cost comes from: finished steps that cost the same (`costKey`), or a rehearsal. Why there is none, where it is unknown. */
  readonly basis?: "finished" | "rehearsed" | { readonly unknown: string };
}

/**
 * Estimates the cost of each step that a study has still to do, on this machine: from finished steps that cost the same, else from a
 * rehearsal in which every loop takes a few steps. Rehearsals are remembered in `cache/costs.json` of the runs' folder; a step that is
 * begun counts as a whole one. Steps that ask a judge outside, and those that rest on them, stay unknown.
 * @throws UserError for a study that cannot be run.
 */
export async function estimateStudy(options: {
  readonly studyFile: string;
  readonly runsDir: string;
  /** Folder of cells' records: what only cells with a record rest on is left out. */
  readonly recordsDir?: string;
  /** Of each step. */
  readonly threads: number;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}): Promise<StepEstimate[]> {
  const { threads, events, signal } = options;
  setThreads(threads);
  const runsDir = resolve(options.runsDir);
  const { plan, store, steps: root } = await openPlan({ ...options, runsDir });
  const wanted = await wantedSteps(plan, options.recordsDir);
  const finished = await finishedSteps(root);
  const specs = new Map<string, StepSpec>([...finished, ...plan.steps].map(({ id, spec }) => [id, spec]));
  const specOf = (id: string) => specs.get(id);
  const measured = meanSeconds(finished, specOf);
  const cacheDir = join(runsDir, "cache");
  await mkdir(cacheDir, { recursive: true });
  const cache = await openCostCache(join(cacheDir, "costs.json"), threads);
  const states = new Map<string, StepState>();
  for (const { id, spec } of wanted) states.set(id, await store.state(spec));
  const scratch = await mkdtemp(join(cacheDir, "rehearsal-"));
  const rehearse = rehearser({ scratch, events, signal, dirOf: (step) => finishedFolder(step, root, states) });

  try {
    const estimates: StepEstimate[] = [];
    for (const step of wanted) {
      const { name, id, spec } = step;
      const state = states.get(id)!;
      const known = { name, id, state, needs: step.needs.map((need) => need.id) };
      const key = costKey(spec, specOf);
      const seconds = measured.get(key);
      if (state === "done" || state === "shipped") estimates.push(known);
      else if (seconds !== undefined) {
        const { queries } = cache.get(key) ?? {};
        estimates.push({ ...known, cost: { seconds, ...(queries !== undefined && { queries }) }, basis: "finished" });
      } else {
        const before = cache.get(key);
        const cost = before ?? (await rehearse(step));
        if ("unknown" in cost) estimates.push({ ...known, basis: cost });
        else {
          if (before === undefined) await cache.set(key, cost);
          estimates.push({ ...known, cost, basis: "rehearsed" });
        }
      }
    }
    return estimates;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Where a finished step lies; undefined for one that is to do. */
function finishedFolder(
  { id, spec }: PlannedStep,
  root: string,
  states: ReadonlyMap<string, StepState>,
): string | undefined {
  const state = states.get(id);
  if (state === "done") return join(root, stepFolder(spec));
  return state === "shipped" ? join(assetsFolder, stepFolder(spec)) : undefined;
}

type Rehearsed = StepCost | { readonly unknown: string };

/** Rehearses steps, and before them what they rest on, each once. */
function rehearser(options: {
  readonly scratch: string;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  readonly dirOf: (step: PlannedStep) => string | undefined;
}): (step: PlannedStep) => Promise<Rehearsed> {
  const { scratch, events, signal, dirOf } = options;
  const outcomes = new Map<string, Rehearsed>();
  const folder = (step: PlannedStep) => dirOf(step) ?? join(scratch, step.id);
  const attempt = async (step: PlannedStep): Promise<Rehearsed> => {
    if (!canRehearse(step)) return { unknown: "asks a judge outside" };
    for (const need of step.needs) {
      if (dirOf(need) !== undefined) continue;
      const outcome = await rehearse(need);
      if ("unknown" in outcome) return { unknown: `rests on ${need.name}, whose cost is unknown` };
    }
    signal.throwIfAborted();
    const dir = folder(step);
    await mkdir(dir);
    const name = `rehearsal of ${step.name}`;
    events({ type: "step-started", step: name, id: step.id, resumed: false });
    try {
      const since = performance.now();
      const cost = await rehearseStep(step, dir, folder, signal);
      const seconds = (performance.now() - since) / 1000;
      events({ type: "step-finished", step: name, id: step.id, source: "run", seconds });
      return cost;
    } catch (error) {
      if (isInterruption(error)) throw error;
      return { unknown: `its rehearsal failed: ${error instanceof Error ? error.message : String(error)}` };
    }
  };
  const rehearse = async (step: PlannedStep): Promise<Rehearsed> => {
    const outcome = outcomes.get(step.id) ?? (await attempt(step));
    outcomes.set(step.id, outcome);
    return outcome;
  };
  return rehearse;
}
