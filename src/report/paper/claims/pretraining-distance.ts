import type { CellResult } from "../../../study/result.ts";
import { bounded, points } from "../../difference.ts";
import { otherGround } from "../../ground.ts";
import { pairedDifference } from "../../paired-difference.ts";
import type { PersonRate } from "../../people-in-common.ts";
import { seedsInWords } from "../../seeds-in-words.ts";
import type { Claim, Decision, Question } from "../claim.ts";
import {
  attacksOf,
  controlsOf,
  labelsWith,
  resultsOf,
  TL_DMI,
  UNBOUNDED,
  undefendedIn,
  whereAttackWorks,
} from "../conditions.ts";
import type { StudyEvidence } from "../evidence.ts";

/** Pre-training sets that know faces, to be held against one that does not. */
const NEAR = { faces: "other people in the same style", style: "people in another style" } as const;
const FAR = "no-faces";
const WORDS: Readonly<Record<PersonRate, string>> = {
  naturalAccuracy: "natural accuracy",
  attackAccuracy: "attack accuracy",
};

/** Whether a study has the attacks and the boundaries of another. */
function hasAllOf(far: StudyEvidence, near: StudyEvidence): boolean {
  const [attacks, labels] = [attacksOf(far), labelsWith(far, TL_DMI)];
  return (
    attacksOf(near).every((attack) => attacks.includes(attack)) &&
    labelsWith(near, TL_DMI).every((label) => labels.includes(label))
  );
}

/** Why cells of two studies cannot be compared person by person; empty where they can. */
function apartBy(far: readonly CellResult[], near: readonly CellResult[]): string[] {
  if (seedsInWords(far) !== seedsInWords(near)) return ["the studies have other seeds"];
  return [...new Set(far.flatMap((cell) => near.flatMap((other) => otherGround(cell, other))))];
}

function decide(far: readonly CellResult[], near: readonly CellResult[], rate: PersonRate): Decision {
  const faults = apartBy(far, near);
  if (faults.length > 0) return { verdict: "not testable here", why: faults.join("; "), figures: "" };
  const difference = pairedDifference(far, near, rate);
  const unsaid = [...far, ...near].some(({ basis }) => basis === undefined)
    ? "; not every record says which images and judge it rests on"
    : "";
  const figures = `${WORDS[rate]} ${points(difference)} points${unsaid}`;
  if (!bounded(difference)) return { ...UNBOUNDED, figures };
  if (difference.low > 0 || difference.high < 0)
    return { verdict: "holds here", why: `${WORDS[rate]} differs`, figures };
  return { verdict: "not shown here", why: "the interval of the difference holds zero", figures };
}

function questions(near: StudyEvidence, far: StudyEvidence, set: string): Question[] {
  const attacks = attacksOf(near);
  const ask = (attack: string, label: string, rate: PersonRate): Question => {
    const under = (study: StudyEvidence) =>
      study.cells.filter((cell) => cell.attack === attack && cell.label === label);
    const leak = rate === "attackAccuracy";
    const compared = () => decide(resultsOf(under(far)), resultsOf(under(near)), rate);
    return {
      studies: [near.file, far.file],
      about: `${near.model}${leak ? `, ${attack}` : ""}: ${label}, ${set}, ${WORDS[rate]}`,
      needs: [...under(near), ...under(far), ...(leak ? controlsOf(far, attack) : [])],
      decide: leak ? () => whereAttackWorks(undefendedIn(far, attack), compared) : compared,
    };
  };
  return labelsWith(near, TL_DMI).flatMap((label) => [
    // A target has one natural accuracy, whatever attacks it.
    ...attacks.slice(0, 1).map((attack) => ask(attack, label, "naturalAccuracy")),
    ...attacks.map((attack) => ask(attack, label, "attackAccuracy")),
  ]);
}

/** What reviewers of the paper's first version asked. */
export const pretrainingDistance: Claim = {
  title: "The result depends on how near the pre-training set is to the private one",
  said: "Not measured in the paper. Reviewers of its first version held that a related public set is needed (OpenReview, 2023).",
  test:
    "A target with TL-DMI whose start weights know faces minus the same one whose start weights have seen none, person by person. Natural " +
    "accuracy and attack accuracy under each attack are a test each: it holds where the 95 % interval of its difference leaves out zero. " +
    "Both studies must have attacked the same people of the same images, before the same judge.",
  eitherWay: true,
  questions: (studies) =>
    studies.flatMap((near) =>
      near.pretraining === "faces" || near.pretraining === "style"
        ? studies
            .filter((far) => far.pretraining === FAR && far.model === near.model && hasAllOf(far, near))
            .flatMap((far) => questions(near, far, NEAR[near.pretraining as keyof typeof NEAR]))
        : [],
    ),
};
