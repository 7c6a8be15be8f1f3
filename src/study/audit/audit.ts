import { basename, dirname, resolve } from "node:path";
import type { Access } from "../../attacks/access.ts";
import { UserError } from "../../engine/errors.ts";
import { setThreads } from "../../engine/runtime.ts";
import type { Measured } from "../../metrics/measured.ts";
import { runStudy } from "../pipeline.ts";
import type { StudyResult } from "../result.ts";
import { suggestion } from "../suggest.ts";
import type { LeftOut, TooDear } from "./budget.ts";
import { claimFolder, STUDY_YAML } from "./claim-folder.ts";
import { type FolderStudyOptions, folderStudy } from "./folder-study.ts";
import { attacksWithin, openStudy, type Wish, type Workplace } from "./open-study.ts";
import { checkJudge, checkTarget, type TargetCheck } from "./preflight.ts";
import { beyondAccess, candidateAttacks, isAttack, notPicked, withoutPublicWeights } from "./settings.ts";

/** Who attacks, and how long it may take. */
export interface AttackerOptions {
  /** What the attacker has of the model. */
  readonly access: Access;
  /** Kinds of attacks; by default all that the access allows and the budget has room for. */
  readonly attacks?: readonly string[];
  /** Seconds; by default without limit where attacks are named, else half an hour. */
  readonly budget?: number;
}

/** What is audited, and how. */
export interface AuditOptions extends FolderStudyOptions, AttackerOptions, Workplace {}

/** What an audit knows beside its study's result. */
export interface AuditFacts {
  /** Name of the model's file. */
  readonly model: string;
  /** Side of the images that were shown, and of those that the model takes where its file says it. */
  readonly side: number;
  readonly modelSide?: number;
  readonly classes: { readonly count: number; readonly by: "names" | "order"; readonly statement: string };
  readonly target: TargetCheck;
  readonly evaluationModel: { readonly kind: string; readonly naturalAccuracy: Measured };
  readonly access: Access;
  readonly attacks: readonly string[];
  /** Attacks that the budget had no room for. */
  readonly tooDear: readonly TooDear[];
  /** Attacks that were not run for another reason. */
  readonly leftOut: readonly LeftOut[];
  /** Seconds; null where there was no limit. */
  readonly budget: number | null;
}

/** How long an audit takes where nothing is said, in seconds. */
const USUAL_BUDGET = 1800;

/**
 * Attacks a classifier that somebody brings, as it is, and measures what leaks. Before any attack it is checked that the classifier knows
 * the private people and that the evaluation model can judge; attacks are chosen by what they take on this machine. All is one study, whose
 * file is left in the folder.
 * @throws UserError for what cannot be read or does not fit, for a classifier or judge that does not know the people, and for a budget
 *   without room for any attack; Interrupted when the signal is aborted
 */
export async function runAudit(
  options: AuditOptions,
): Promise<{ facts: AuditFacts; result: StudyResult; studyDir: string }> {
  const begun = performance.now();
  const place = { ...options, out: resolve(options.out), runsDir: resolve(options.runsDir) };
  const { file } = options.model;
  setThreads(options.threads);
  // Of a model that is brought trained nobody knows what it started from.
  const beyond = [...notPicked(options.access), ...withoutPublicWeights(candidateAttacks(options.access))];
  const wish = wishOf(options, beyond);
  const made = await folderStudy(`audit-${plainName(file)}`, "target", ["none"], options);
  const comment = `How much does ${basename(file)} leak? Run it again with: tldmi run ${STUDY_YAML}`;
  const claimed = await claimFolder(place.out, made, wish, comment);
  const opened = await openStudy(claimed.studyFile, place);
  const { data, plan } = opened;
  const { target, evaluationModel, choice } = await claimed.attempt(async () => ({
    target: await checkTarget({ ...opened, file, step: plan.targets[0]!.step, mapping: made.mapping }),
    evaluationModel: await checkJudge(opened),
    choice: claimed.before ?? (await attacksWithin(opened, wish, begun, place)),
  }));
  await claimed.settle(choice);
  const { result, studyDir } = await runStudy({ ...place, studyFile: claimed.studyFile, studyDir: place.out });
  const { mapping, facts } = made;
  return {
    facts: {
      model: basename(file),
      side: data.private.train.height,
      ...(facts.side !== undefined && { modelSide: facts.side }),
      classes: { count: mapping.folders.length, by: mapping.by, statement: mapping.statement },
      target,
      evaluationModel,
      access: options.access,
      attacks: choice.chosen,
      tooDear: choice.tooDear,
      leftOut: [...(options.attacks === undefined ? beyond : []), ...choice.leftOut],
      budget: wish.budget,
    },
    result,
    studyDir,
  };
}

/**
 * What an attacker is asked to try.
 * @param leftOut attacks that cannot be run, whatever the access
 * @throws UserError for attacks that there are none of, that are named twice, and that need more than the attacker has
 */
export function wishOf({ attacks, access, budget }: AttackerOptions, leftOut: readonly LeftOut[] = []): Wish {
  const unknown = attacks?.find((kind) => !isAttack(kind));
  if (unknown !== undefined) {
    const allowed = [...candidateAttacks(access), ...notPicked(access).map(({ attack }) => attack)];
    throw new UserError(`--attacks: unknown attack "${unknown}"${suggestion(unknown, allowed)}`);
  }
  const twice = attacks?.find((kind, i) => attacks.indexOf(kind) < i);
  if (twice !== undefined) throw new UserError(`--attacks: ${twice} is named twice; name each attack once`);
  const possible = candidateAttacks(access).filter((kind) => !leftOut.some(({ attack }) => attack === kind));
  const [beyond] = beyondAccess(attacks ?? [], access);
  if (beyond !== undefined)
    throw new UserError(
      `${beyond} needs more of the model than --access ${access}; expected some of ${possible.join(", ")}`,
    );
  if (attacks === undefined) return { attacks: possible, access, budget: budget ?? USUAL_BUDGET };
  return { attacks, access, budget: budget ?? null };
}

/** What a classifier's file is called where its folder's name tells more. */
const UNTOLD = "model";

/** Letters, digits and hyphens of a file's name, for that of a study; of its folder's name where all such files are called so. */
export function plainName(file: string): string {
  const path = resolve(file);
  const own = basename(path).replace(/\.\w+$/, "");
  const plain = (own.toLowerCase() === UNTOLD ? basename(dirname(path)) : own).replaceAll(/[^A-Za-z0-9]+/g, "-");
  return plain.replaceAll(/^-+|-+$/g, "") || UNTOLD;
}
