import { basename, dirname, join, resolve } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { setThreads } from "../engine/runtime.ts";
import { assetsFolder } from "./assets.ts";
import { cellName } from "./cell.ts";
import type { EventSink } from "./events.ts";
import { expandStudy } from "./plan.ts";
import { loadData, loadWeights, readStudy } from "./read-study.ts";
import { CONFIG_FILE, REPORT } from "./run-folder.ts";
import { readRunRecord } from "./run-record.ts";
import { findStep } from "./step-record.ts";
import { openStepStore } from "./step-store.ts";
import { FISHER_FILE, type FisherRecord, type FisherSettings, fisherStep, readFisher } from "./steps/fisher.ts";
import { stepRunner } from "./steps/planned.ts";

export type { FisherLayer, FisherRecord, FisherSettings } from "./steps/fisher.ts";

/** Name of the store in a folder of runs. */
const STEPS = "steps";

/** Which run is analysed, and how. */
export interface FisherRunOptions extends FisherSettings {
  /** Run folder of a cell. */
  readonly run: string;
  /** Folder of runs with `steps/` and `cache/`; by default the one in which the cell's steps lie, or else the one in which its study does. */
  readonly runsDir?: string;
  /** The study's file, where relative paths in it are needed; what the run resolved by default. */
  readonly studyFile?: string;
  readonly threads: number;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/**
 * Fisher information of a cell's target, in the classification task and under the cell's attack, which is run again on some
 * identities. Finished steps are reused, the analysis becomes one. Writes `report/fisher.json` in the run's folder.
 * @throws UserError where the folder is no cell's, its study does not have the cell, or its attack is not white-box.
 */
export async function fisherOfRun(options: FisherRunOptions): Promise<{ record: FisherRecord; file: string }> {
  const { run, studyFile, threads, events, signal, form, labels, identities, points } = options;
  const { kind, study: studyPath, name, steps = {} } = await readRunRecord(run);
  if (kind !== "cell" || studyPath === undefined)
    throw new UserError(
      `${run}: the folder of a whole study; name that of a cell, such as ${join(run, "cells", "CELL")}`,
    );
  const studyDir = resolve(run, studyPath);
  const runsDir =
    options.runsDir === undefined
      ? ((await runsDirOf(Object.values(steps).map((dir) => resolve(run, dir)))) ?? dirname(studyDir))
      : resolve(options.runsDir);
  setThreads(threads);
  const read = await readStudy(studyFile ?? join(studyDir, CONFIG_FILE));
  const data = await loadData(read, join(runsDir, "cache"), events, signal);
  const plan = expandStudy(read.study, data, await loadWeights(read));
  const cell = plan.cells.find((c) => cellName(c) === name);
  if (cell === undefined)
    throw new UserError(
      `${studyFile ?? studyDir}: its study has no cell ${name}; it has ${plan.cells.map(cellName).join(", ")}`,
    );
  const { member: attack, config } = cell.chosen;
  if (attack.access !== "white-box")
    throw new UserError(
      `${run}: ${attack.kind} sees only ${attack.access} of the target, so nothing is known of its gradients; name a cell of a white-box attack`,
    );
  const { label, seed, step: target, defended } = cell.target;
  const step = fisherStep({
    data,
    model: defended.model,
    label,
    seed,
    settings: { form, labels, identities, points },
    attack,
    config,
    ...(cell.networks && { networks: cell.networks }),
    target,
    ...(cell.prior && { prior: cell.prior }),
    ...(cell.surrogates && { surrogates: cell.surrogates }),
    ...(attack.publicWeights && { publicWeights: plan.pretraining }),
  });
  const store = openStepStore({ root: join(runsDir, STEPS), shipped: [assetsFolder], events, signal });
  const { dir } = await stepRunner(store, () => {})(step);
  const record = await readFisher(dir);
  const file = join(run, REPORT, FISHER_FILE);
  await writeFileAtomic(file, `${JSON.stringify(record, undefined, 2)}\n`);
  return { record, file };
}

/** The folder of runs whose store has one of these steps whole; undefined where none has, or they all came with the package. */
async function runsDirOf(steps: readonly string[]): Promise<string | undefined> {
  for (const dir of steps) {
    const store = dirname(dir);
    if (basename(store) !== STEPS) continue;
    const found = await findStep(dir);
    if (found !== undefined && "record" in found) return dirname(store);
  }
  return undefined;
}
