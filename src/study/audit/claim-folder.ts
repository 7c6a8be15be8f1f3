import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { UserError } from "../../engine/errors.ts";
import { differingKeys } from "./differing-keys.ts";
import { type FolderStudy, studyText } from "./folder-study.ts";
import type { ChosenAttacks, Wish } from "./open-study.ts";

/** Name of the study file in the folder of an audit, or of a defense. */
export const STUDY_YAML = "study.yaml";
/** Name of what was chosen within a budget: who resumes does not choose again. */
const CHOICE_FILE = "choice.json";

/** What `choice.json` holds; before there was a reason to leave attacks out, it did not speak of them. */
interface ChoiceRecord extends Omit<ChosenAttacks, "leftOut"> {
  readonly wish: Wish;
  readonly leftOut?: ChosenAttacks["leftOut"];
}

/** The study file of a command's folder, which it goes on with where it was begun before. */
export interface Claimed {
  readonly studyFile: string;
  /** What was chosen before. */
  readonly before?: ChosenAttacks;
  /** Does what comes before any attack; where that fails, the folder has the study file again that it had, or none. */
  attempt<Found>(work: () => Promise<Found>): Promise<Found>;
  /** Writes the study file for good, with the attacks that were chosen. */
  settle(choice: ChosenAttacks): Promise<void>;
}

/**
 * Writes a command's study file into its folder.
 * @param comment the file's first line
 * @throws UserError where the folder holds a study of something else; other attacks may be asked for, and everything where none was chosen yet
 */
export async function claimFolder(
  out: string,
  made: Pick<FolderStudy, "keys">,
  wish: Wish,
  comment: string,
): Promise<Claimed> {
  const studyFile = join(out, STUDY_YAML);
  const choiceFile = join(out, CHOICE_FILE);
  const textOf = (attacks: readonly string[]) => studyText(made.keys(attacks), comment);
  const text = await readFile(studyFile, "utf8").catch(() => undefined);
  const record = await readFile(choiceFile, "utf8").catch(() => undefined);
  const choice = record === undefined ? undefined : (JSON.parse(record) as ChoiceRecord);
  // What was killed before anything was attacked may be tried again with other options.
  const isOpen = choice === undefined && text?.startsWith(`# ${comment}\n`) === true;
  if (text !== undefined && !isOpen) checkSame(out, text, textOf(attacksOf(text)));
  const write = (attacks: readonly string[]) => writeFileAtomic(studyFile, textOf(attacks));
  const before = text !== undefined && JSON.stringify(choice?.wish) === JSON.stringify(wish) ? choice : undefined;
  await write(before?.chosen ?? wish.attacks);
  return {
    studyFile,
    ...(before && { before: { ...before, leftOut: before.leftOut ?? [] } }),
    async attempt(work) {
      try {
        return await work();
      } catch (error) {
        await (text === undefined || isOpen ? rm(studyFile, { force: true }) : writeFileAtomic(studyFile, text));
        throw error;
      }
    },
    async settle({ chosen, tooDear, leftOut }) {
      await write(chosen);
      await writeFileAtomic(choiceFile, `${JSON.stringify({ wish, chosen, tooDear, leftOut }, undefined, 2)}\n`);
    },
  };
}

/** Keys that a message shows. */
const SHOWN = 5;

function checkSame(out: string, held: string, wanted: string): void {
  if (held === wanted) return;
  const keys = differingKeys(held, wanted);
  const more = keys.length > SHOWN ? ` and ${keys.length - SHOWN} more` : "";
  const which = keys.length > 0 ? ` (they differ in ${keys.slice(0, SHOWN).join(", ")}${more})` : "";
  throw new UserError(
    `${out} holds a study of something else, or one with other options${which}; name another folder with --out, or remove it`,
  );
}

/** The kinds of attacks that a study file names; none where it is no study file. */
function attacksOf(text: string): readonly string[] {
  const { attacks } = z
    .object({ attacks: z.array(z.object({ kind: z.string() })) })
    .catch({ attacks: [] })
    .parse(parseDocument(text).toJS());
  return attacks.map(({ kind }) => kind);
}
