import { join } from "node:path";
import type { StudyData } from "../../data/dataset.ts";
import { UserError } from "../../engine/errors.ts";
import { assetsFolder } from "../assets.ts";
import type { EventSink } from "../events.ts";
import { expandStudy, type StudyPlan } from "../plan.ts";
import { loadData, loadWeights, readStudy, type StudyWeights } from "../read-study.ts";
import { openStepStore, type StepResult, type StepStore } from "../step-store.ts";
import { type PlannedStep, stepRunner } from "../steps/planned.ts";
import type { Study } from "../study-schema.ts";
import { chooseAttacks, durationText, exactDuration, type LeftOut, type TooDear } from "./budget.ts";
import { timeAttacks } from "./timing.ts";

/** Where a command works, and who hears of it. */
export interface Workplace {
  /** The command's folder. */
  readonly out: string;
  /** Holds `steps/` and `cache/`, shared with all studies. */
  readonly runsDir: string;
  readonly includePrivate: boolean;
  readonly threads: number;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/** A study of which single steps can be done before it is run. */
export interface OpenStudy {
  readonly study: Study;
  readonly data: StudyData;
  readonly weights: StudyWeights;
  readonly plan: StudyPlan;
  readonly store: StepStore;
  readonly stepsDir: string;
  run(step: PlannedStep): Promise<StepResult>;
}

/** Opens a study file. */
export async function openStudy(studyFile: string, { runsDir, events, signal }: Workplace): Promise<OpenStudy> {
  const read = await readStudy(studyFile);
  const data = await loadData(read, join(runsDir, "cache"), events, signal);
  const weights = await loadWeights(read);
  const plan = expandStudy(read.study, data, weights);
  const stepsDir = join(runsDir, "steps");
  const store = openStepStore({ root: stepsDir, shipped: [assetsFolder], events, signal });
  return { study: read.study, data, weights, plan, store, stepsDir, run: stepRunner(store, () => {}) };
}

/** The attacks of a study, those that a budget had no room for, and those that failed before that could be said. */
export interface ChosenAttacks {
  readonly chosen: readonly string[];
  readonly tooDear: readonly TooDear[];
  readonly leftOut: readonly LeftOut[];
}

/** What was asked for, which a resumed command must ask for again. */
export interface Wish {
  readonly attacks: readonly string[];
  readonly access: string;
  /** Seconds; null: no limit. */
  readonly budget: number | null;
}

/**
 * The attacks that fit into what is left of the budget, by what they take on this machine; not those that fail while that is found out.
 * @param begun when the command was begun, by `performance.now()`
 * @throws UserError where none fits
 */
export async function attacksWithin(
  opened: OpenStudy,
  { attacks, budget }: Wish,
  begun: number,
  { events, signal }: Workplace,
): Promise<ChosenAttacks> {
  if (budget === null) return { chosen: attacks, tooDear: [], leftOut: [] };
  const { costs, failed } = await timeAttacks({ ...opened, events, signal });
  const found = { ...chooseAttacks(costs, budget, (performance.now() - begun) / 1000), leftOut: failed };
  if (found.chosen.length > 0) return found;
  const broken = failed.map(({ attack, reason }) => `${attack} ${reason}`).join("; ");
  if (found.tooDear.length === 0) throw new UserError(`no attack can be run: ${broken}`);
  const each = found.tooDear.map(({ attack, seconds }) => `${attack} ${durationText(seconds)}`).join(", ");
  const least = Math.min(...found.tooDear.map(({ seconds }) => seconds));
  throw new UserError(
    `no attack fits into ${exactDuration(budget)} on this machine; all in all it would take with ${each}: ` +
      `say --budget ${durationText(least * 1.1)} or more, or a smaller --size${broken === "" ? "" : `; ${broken}`}`,
  );
}
