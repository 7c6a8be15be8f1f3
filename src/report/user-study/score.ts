import { UserError } from "../../engine/errors.ts";
import type { Measured } from "../../metrics/measured.ts";
import { type Choice, preference } from "../../metrics/preference.ts";
import { readAnswers, readKey } from "./key.ts";

/** What the participants of a pack have said. */
export interface UserStudyScore {
  readonly pack: string;
  readonly study: string;
  readonly attack: string;
  readonly conditions: readonly [string, string];
  /** Share of choices for the first condition's image: above one half, it looks more like the person, so that model leaks more. */
  readonly preference: Measured;
  /** Share of choices of the image on the left; far from one half, people chose by side. */
  readonly left: Measured;
  readonly participants: readonly {
    readonly participant: string;
    readonly answered: number;
    /** Choices for the first condition. */
    readonly first: number;
    /** Median seconds a question. */
    readonly seconds: number;
  }[];
  readonly questions: number;
}

const SEED = 1;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Scores answers to a pack. Questions that somebody left out count for nobody.
 * @throws UserError for a folder without a key, files that are no answers to it, and where nothing was answered.
 */
export async function scoreUserStudy(packDir: string, files: readonly string[]): Promise<UserStudyScore> {
  const key = await readKey(packDir);
  const all = await readAnswers(key, files);
  const firstOn = new Map(key.questions.map(({ question, first }) => [question, first]));
  const choices: (Choice & { left: boolean })[] = all.flatMap(({ participant, answers }) =>
    answers.map(({ question, choice }) => ({
      participant,
      question,
      first: choice === firstOn.get(question),
      left: choice === "A",
    })),
  );
  if (choices.length === 0) throw new UserError("user-study: no question is answered in these files");
  return {
    pack: key.pack,
    study: key.study,
    attack: key.attack,
    conditions: key.conditions,
    preference: preference(choices, SEED),
    left: preference(
      choices.map((choice) => ({ ...choice, first: choice.left })),
      SEED,
    ),
    participants: all
      .filter(({ answers }) => answers.length > 0)
      .map(({ participant, answers }) => ({
        participant,
        answered: answers.length,
        first: answers.filter(({ question, choice }) => choice === firstOn.get(question)).length,
        seconds: median(answers.map(({ seconds }) => seconds)),
      })),
    questions: key.questions.length,
  };
}
