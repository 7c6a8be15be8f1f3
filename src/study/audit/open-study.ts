import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { StudyData } from "../../data/dataset.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { UserError } from "../../engine/errors.ts";
import { assetsFolder } from "../assets.ts";
import type { EventSink } from "../events.ts";
import { expandStudy, type StudyPlan } from "../plan.ts";
import { loadData, loadWeights, readStudy, type StudyWeights } from "../read-study.ts";
import { openStepStore, type StepResult, type StepStore } from "../step-store.ts";
import { type PlannedStep, stepRunner } from "../steps/planned.ts";
import type { Study } from "../study-schema.ts";
import { chooseAttacks, durationText, type LeftOut, type TooDear } from "./budget.ts";
import { type FolderStudy, studyText } from "./folder-study.ts";
import { timeAttacks } from "./timing.ts";

/** Name of the study file in the folder of an audit, or of a defense. */
export const STUDY_YAML = "study.yaml";
/** Name of what was chosen within a budget: who resumes does not choose again. */
const CHOICE_FILE = "choice.json";

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

/** What `choice.json` holds; before there was a reason to leave attacks out, it did not speak of them. */
interface ChoiceRecord extends Omit<ChosenAttacks, "leftOut"> {
  readonly wish: Wish;
  readonly leftOut?: readonly LeftOut[];
}

/** The study file of a command's folder, which it goes on with where it was begun before. */
export interface Claimed {
  readonly studyFile: string;
  /** What was chosen before. */
  readonly before?: ChosenAttacks;
  /** Writes the study file for good, with the attacks that were chosen. */
  settle(choice: ChosenAttacks): Promise<void>;
}

/**
 * Writes a command's study file into its folder.
 * @param comment the file's first line
 * @throws UserError where the folder holds a study of something else; other attacks may be asked for, and everything where none was chosen yet
 */
export async function claimFolder(out: string, made: FolderStudy, wish: Wish, comment: string): Promise<Claimed> {
  const studyFile = join(out, STUDY_YAML);
  const choiceFile = join(out, CHOICE_FILE);
  const textOf = (attacks: readonly string[]) => studyText(made.keys(attacks), comment);
  const text = await readFile(studyFile, "utf8").catch(() => undefined);
  const record = await readFile(choiceFile, "utf8").catch(() => undefined);
  const choice = record === undefined ? undefined : (JSON.parse(record) as ChoiceRecord);
  // What was refused before anything was attacked may be tried again with the options that it was told to take.
  const isOpen = choice === undefined && text?.startsWith(`# ${comment}\n`) === true;
  if (text !== undefined && !isOpen && text !== textOf(attacksOf(text)))
    throw new UserError(
      `${out} holds a study of something else, or one with other options; name another folder with --out, or remove it`,
    );
  const write = (attacks: readonly string[]) => writeFileAtomic(studyFile, textOf(attacks));
  const before = text !== undefined && JSON.stringify(choice?.wish) === JSON.stringify(wish) ? choice : undefined;
  await write(before?.chosen ?? wish.attacks);
  return {
    studyFile,
    ...(before && { before: { ...before, leftOut: before.leftOut ?? [] } }),
    async settle({ chosen, tooDear, leftOut }) {
      await write(chosen);
      await writeFileAtomic(choiceFile, `${JSON.stringify({ wish, chosen, tooDear, leftOut }, undefined, 2)}\n`);
    },
  };
}

/** The kinds of attacks that a study file names; none where it is no study file. */
function attacksOf(text: string): readonly string[] {
  const { attacks } = z
    .object({ attacks: z.array(z.object({ kind: z.string() })) })
    .catch({ attacks: [] })
    .parse(parseDocument(text).toJS());
  return attacks.map(({ kind }) => kind);
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
    `no attack fits into ${durationText(budget)} on this machine; all in all it would take with ${each}: ` +
      `say --budget ${durationText(least * 1.1)} or more, or a smaller --size${broken === "" ? "" : `; ${broken}`}`,
  );
}
