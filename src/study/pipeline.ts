import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { StudyData } from "../data/dataset.ts";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { setThreads } from "../engine/runtime.ts";
import type { Measured } from "../metrics/measured.ts";
import { assetsFolder } from "./assets.ts";
import { asJson } from "./canonical.ts";
import { cellName, runCell } from "./cell.ts";
import { openCellRecords } from "./cell-records.ts";
import { readCurves } from "./curves.ts";
import { attackName, defenseName } from "./entry-labels.ts";
import { type EventSink, fanOut } from "./events.ts";
import { judgeGate } from "./gate.ts";
import { isInterruption } from "./interrupted.ts";
import { attackNotes, type Brought, broughtNotes, privacyNotes, studyNotes } from "./notes.ts";
import { openPlan } from "./open-plan.ts";
import { labelsOf, type PlannedCell } from "./plan/cells.ts";
import { expandStudy, type StudyPlan } from "./plan.ts";
import { provenance } from "./provenance.ts";
import { loadData, loadWeights, type ReadStudy, readStudy } from "./read-study.ts";
import type { CellResult, Curve, FailedCell, StudyResult } from "./result.ts";
import { finishRun, openRunFolder } from "./run-folder.ts";
import { stepId } from "./step-record.ts";
import { openStepStore, type StepResult, type StepState, type StepStore, type StepStoreOptions } from "./step-store.ts";
import { TEST_ACCURACY } from "./steps/classifier.ts";
import { type PlannedStep, stepRunner } from "./steps/planned.ts";
import { studyFolder } from "./study-folder.ts";
import type { Study } from "./study-schema.ts";
import { openWaves, wantedSteps } from "./waves.ts";

/** Name of a study's result in its folder. */
export const STUDY_FILE = "study.json";

/** How a study is run. */
export interface RunStudyOptions {
  readonly studyFile: string;
  /** Holds the studies' folders, `steps/` (finished steps, shared by all studies) and `cache/` (drawn or decoded images). */
  readonly runsDir: string;
  /** The study's folder; one in `runsDir` that is named by the study where it is left out. */
  readonly studyDir?: string;
  /** Folders of finished steps that are only read, beside those that come with the package. */
  readonly shipped?: readonly string[];
  /** Copies one private image of each class into the run folders, for a report that shows them. */
  readonly includePrivate: boolean;
  /** Folder of cells' records: a cell that has one is taken from it, a cell that is computed leaves one. */
  readonly recordsDir?: string;
  readonly threads: number;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** Opens the store of steps, where it is another than the folder `steps` of `runsDir`. */
  readonly openSteps?: (options: Pick<StepStoreOptions, "events" | "signal">) => StepStore;
  /** Has what the cells rest on computed elsewhere; they are put together here. */
  readonly elsewhere?: ComputeElsewhere;
}

/** Begins to have steps computed by others, into the store that the study is put together from. */
export type ComputeElsewhere = (work: {
  readonly read: ReadStudy;
  readonly plan: StudyPlan;
  /** What is asked for: these steps and all that they rest on; those of one seed, then those of the next. */
  readonly waves: readonly (readonly PlannedStep[])[];
  /** The run's, which tell of every step that is done. */
  readonly events: EventSink;
}) => Elsewhere;

/** Steps that others compute. */
export interface Elsewhere {
  /** Steps that failed so far, by id, with why: they are not tried again. */
  readonly failed: ReadonlyMap<string, string>;
  /** Waits until a step of `waves` is done or will not be. @throws Interrupted when the run's signal is aborted. */
  ended(step: PlannedStep): Promise<void>;
  /** Waits until nobody works any more. @throws what kept the steps from being computed. */
  over(): Promise<void>;
}

/**
 * Runs a whole study: start weights, targets, priors, attacks, metrics. Finished steps are reused, killed ones go on from their
 * checkpoints, and one that another process is at is waited for. A cell that fails is recorded and the others go on.
 * @throws UserError for a study that cannot be run; Interrupted when the signal is aborted.
 */
export async function runStudy(options: RunStudyOptions): Promise<{ result: StudyResult; studyDir: string }> {
  const { studyFile, threads, signal, includePrivate } = options;
  const runsDir = resolve(options.runsDir);
  setThreads(threads);
  const read = await readStudy(studyFile);
  const { study, yaml } = read;
  const studyDir = resolve(options.studyDir ?? studyFolder(runsDir, study));
  const machine = await provenance(threads);
  const folder = await openRunFolder({
    dir: studyDir,
    kind: "study",
    name: study.name,
    config: asJson(study),
    machine,
  });
  const events = fanOut(folder.events, options.events);

  return finishRun(folder, async () => {
    const data = await loadData(read, join(runsDir, "cache"), events, signal);
    const plan = expandStudy(study, data, await loadWeights(read));
    const grid = plan.cells.map((cell) => ({
      cell: cellName(cell),
      defense: cell.target.label,
      attack: cell.attackLabel,
      seed: cell.seed,
    }));
    events({ type: "study-started", study: study.name, cells: grid.length, steps: plan.steps.length, grid });
    const records = options.recordsDir === undefined ? undefined : openCellRecords(resolve(options.recordsDir));
    const elsewhere = options.elsewhere?.({ read, plan, waves: await openWaves(plan, records), events });
    // What is computed elsewhere is told of from there.
    const telling = elsewhere === undefined ? events : newsTo(events);
    const shipped = [assetsFolder, ...(options.shipped ?? [])];
    const shared = { events: telling, signal };
    const opened = options.openSteps?.(shared) ?? openStepStore({ root: join(runsDir, "steps"), shipped, ...shared });
    const store = elsewhere === undefined ? opened : withoutFailed(opened, elsewhere.failed);
    const results = new Map<string, StepResult>();
    const timings: StudyResult["timings"][number][] = [];
    const run = stepRunner(store, (step, result) => {
      results.set(step.id, result);
      const { seconds, reused, peakMemory } = result;
      const took = { step: step.name, seconds: Math.round(seconds * 10) / 10, reused };
      timings.push(peakMemory === undefined ? took : { ...took, peakMemory });
    });

    const cells: CellResult[] = [];
    const failed: FailedCell[] = [];
    const take = async (cell: PlannedCell): Promise<void> => {
      const { seed } = cell;
      const labels = labelsOf(cell);
      const at = { defense: defenseName(labels), attack: attackName(labels), seed, cell: cellName(cell) };
      try {
        const known = await records?.find(cell);
        if (known !== undefined) {
          cells.push(known.record.result);
          events({ type: "cell-finished", ...at, status: "done" });
          return;
        }
        const result = await runCell({ cell, study, model: plan.model, data, studyDir, includePrivate, machine, run });
        cells.push(result);
        await records?.keep(cell, { study: study.name, result, seconds: secondsOf(cell, results), machine });
        events({ type: "cell-finished", ...at, status: "done", run: result.run });
      } catch (error) {
        if (isInterruption(error)) throw error;
        const message = error instanceof Error ? error.message : String(error);
        failed.push({ ...labels, seed, message });
        events({ type: "cell-finished", ...at, status: "failed", message });
      }
    };
    try {
      for (const cell of plan.cells) {
        await elsewhere?.ended(cell.evaluation);
        await take(cell);
      }
    } finally {
      await elsewhere?.over();
    }
    const [pretraining, probe] = await sharedAccuracies(plan, run);
    const status = failed.length > 0 ? "partial" : "done";
    const result: StudyResult = {
      schemaVersion: 1,
      name: study.name,
      status,
      cells,
      failed,
      ...(study.gate && { gate: judgeGate(study.gate, { cells, failed }) }),
      curves: await allCurves(plan, results),
      notes: [
        ...studyNotes(study, pretraining, probe),
        ...broughtNotes(cells, broughtTo(study, plan, data)),
        ...privacyNotes(cells),
        ...attackNotes(cells),
      ],
      provenance: machine,
      config: yaml,
      timings,
    };
    await writeFileAtomic(join(studyDir, STUDY_FILE), `${JSON.stringify(result, undefined, 2)}\n`);
    events({ type: "study-finished", study: study.name, status });
    return { result, studyDir };
  });
}

/** What a study has from files just as it is. */
function broughtTo(study: Study, plan: StudyPlan, data: StudyData): Brought {
  const brought = plan.cells.filter(({ target }) => target.step.spec.kind === "imported-target");
  return {
    defenses: brought.map((cell) => defenseName(labelsOf(cell))),
    judge: study.evaluation.weights !== undefined,
    classes: data.private.train.classes,
  };
}

/** Passes on all but that a step is there, which has been told already. */
function newsTo(events: EventSink): EventSink {
  return (event) => {
    if (!(event.type === "step-finished" && event.source !== "run")) events(event);
  };
}

/** What a cell's steps took, whenever they were computed. */
function secondsOf(cell: PlannedCell, results: ReadonlyMap<string, StepResult>): Record<string, number> {
  const steps = {
    target: cell.target.step,
    prior: cell.prior,
    surrogates: cell.surrogates,
    attack: cell.attackStep,
    evaluation: cell.evaluation,
  };
  return Object.fromEntries(
    Object.entries(steps).flatMap(([role, step]) => {
      const found = step && results.get(step.id);
      return found === undefined ? [] : [[role, Math.round(found.seconds * 10) / 10]];
    }),
  );
}

/** The store, in which these steps have failed. */
function withoutFailed(store: StepStore, failed: ReadonlyMap<string, string>): StepStore {
  return {
    state: (spec) => store.state(spec),
    async run(spec, name, body) {
      const message = failed.get(stepId(spec));
      if (message !== undefined) throw new Error(message);
      return store.run(spec, name, body);
    },
  };
}

/** A step of a study as a plan shows it. */
export interface StepPlan {
  readonly name: string;
  readonly id: string;
  readonly state: StepState;
}

/** The steps of a study and how far each is. Folders of images are read for it; nothing is trained. */
export async function planStudy(
  options: Pick<RunStudyOptions, "studyFile" | "runsDir" | "recordsDir">,
): Promise<StepPlan[]> {
  const { plan, store } = await openPlan(options);
  const wanted = await wantedSteps(plan, options.recordsDir);
  return Promise.all(wanted.map(async ({ name, id, spec }) => ({ name, id, state: await store.state(spec) })));
}

/** What the start weights and the linear probe reach; a part that fails is only left out of the notes, so that the cells' results are kept. */
async function sharedAccuracies(
  plan: StudyPlan,
  run: (step: PlannedStep) => Promise<StepResult>,
): Promise<(Measured | undefined)[]> {
  const found: (Measured | undefined)[] = [];
  for (const step of [plan.pretraining, plan.linearProbe]) {
    try {
      found.push(step && (await accuracyOf(await run(step))));
    } catch (error) {
      if (isInterruption(error)) throw error;
      found.push(undefined);
    }
  }
  return found;
}

async function accuracyOf({ dir }: StepResult): Promise<Measured> {
  return JSON.parse(await readFile(join(dir, TEST_ACCURACY), "utf8")) as Measured;
}

async function allCurves(plan: StudyPlan, results: ReadonlyMap<string, StepResult>): Promise<Curve[]> {
  const curves: Curve[] = [];
  const seen = new Set<string>();
  for (const { target, prior, surrogates, attackStep, seed } of plan.cells) {
    for (const step of [target.step, ...(prior ? [prior] : []), ...(surrogates ? [surrogates] : []), attackStep]) {
      const found = results.get(step.id);
      if (found === undefined || seen.has(step.id)) continue;
      seen.add(step.id);
      curves.push(...(await readCurves(found.dir, step.name.replace(/, seed \d+$/, ""), seed)));
    }
  }
  return curves;
}
