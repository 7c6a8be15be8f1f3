import type { CellResult } from "../../../study/result.ts";
import type { Condition } from "../../conditions.ts";
import { bounded, type Difference, points, sideOf } from "../../difference.ts";
import { otherGround } from "../../ground.ts";
import { changeOfDifference, pairedDifference } from "../../paired-difference.ts";
import type { PersonRate } from "../../people-in-common.ts";
import { seedsInWords } from "../../seeds-in-words.ts";
import { judgesOfAll, seenBy } from "../../seen-by.ts";
import type { Claim, Decision, Question } from "../claim.ts";
import {
  attacksOf,
  conditionsIn,
  controlsOf,
  labelsWith,
  TL_DMI,
  UNBOUNDED,
  undefendedIn,
  whereAttackWorks,
} from "../conditions.ts";
import type { EvidenceCell, StudyEvidence } from "../evidence.ts";

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

/** What a question looks at in one study: a target alone, or held against the undefended one. */
interface Looked<Part> {
  readonly target: Part;
  readonly undefended?: Part;
}

const partsOf = <Part>({ target, undefended }: Looked<Part>): Part[] =>
  undefended === undefined ? [target] : [target, undefended];
const each = <From, To>({ target, undefended }: Looked<From>, change: (part: From) => To): Looked<To> => ({
  target: change(target),
  ...(undefended !== undefined && { undefended: change(undefended) }),
});

function nearLessFar(far: Looked<Condition>, near: Looked<Condition>, rate: PersonRate): Difference {
  if (far.undefended === undefined || near.undefended === undefined)
    return pairedDifference(far.target.cells, near.target.cells, rate);
  return changeOfDifference(
    { before: far.undefended.cells, after: far.target.cells },
    { before: near.undefended.cells, after: near.target.cells },
    rate,
  );
}

/** The same difference in what the further judges see, and in what all do. */
function saidByOthers(far: Looked<Condition>, near: Looked<Condition>): string[] {
  const judges = judgesOfAll([...partsOf(far), ...partsOf(near)]) ?? [];
  if (judges.length < 2) return [];
  const seen = (judge: number | "all") => {
    const by = (condition: Condition) => seenBy(condition, judge);
    return points(nearLessFar(each(far, by), each(near, by), "attackAccuracy"));
  };
  const others = judges.slice(1).map((name, i) => `${name} ${seen(i + 1)}`);
  return [...others, `what all judges see ${seen("all")}`];
}

function decide(far: Looked<Condition>, near: Looked<Condition>, rate: PersonRate): Decision {
  const cellsIn = (looked: Looked<Condition>) => partsOf(looked).flatMap(({ cells }) => cells);
  const [there, here] = [cellsIn(far), cellsIn(near)];
  const faults = apartBy(there, here);
  if (faults.length > 0) return { verdict: "not testable here", why: faults.join("; "), figures: "" };
  const difference = nearLessFar(far, near, rate);
  const figures = [
    `${WORDS[rate]} ${points(difference)} points`,
    ...(rate === "attackAccuracy" ? saidByOthers(far, near) : []),
    ...([...there, ...here].some(({ basis }) => basis === undefined)
      ? ["not every record says which images and judge it rests on"]
      : []),
  ].join("; ");
  if (!bounded(difference)) return { ...UNBOUNDED, figures };
  if (sideOf(difference) !== 0) return { verdict: "holds here", why: `${WORDS[rate]} differs`, figures };
  return { verdict: "not shown here", why: "the interval of the difference holds zero", figures };
}

type Look = (study: StudyEvidence, attack: string) => Looked<readonly EvidenceCell[]>;
const atUndefended: Look = (study, attack) => ({ target: controlsOf(study, attack) });
const atTarget =
  (label: string): Look =>
  (study, attack) => ({ target: study.cells.filter((cell) => cell.attack === attack && cell.label === label) });
const atChange =
  (label: string): Look =>
  (study, attack) => ({ ...atTarget(label)(study, attack), undefended: controlsOf(study, attack) });

/** Of the undefended target, of each with TL-DMI, and of what TL-DMI changes. */
function questions(near: StudyEvidence, far: StudyEvidence, set: string): Question[] {
  const ask = (attack: string, what: string, look: Look, rate: PersonRate): Question => {
    const leak = rate === "attackAccuracy";
    const [there, here] = [look(far, attack), look(near, attack)];
    const together = (cells: readonly EvidenceCell[]) => conditionsIn(cells)[0]!;
    const compared = () => decide(each(there, together), each(here, together), rate);
    return {
      studies: [near.file, far.file],
      about: `${near.model}${leak ? `, ${attack}` : ""}: ${what}, ${set}, ${WORDS[rate]}`,
      needs: [
        ...new Set([...partsOf(here).flat(), ...partsOf(there).flat(), ...(leak ? controlsOf(far, attack) : [])]),
      ],
      decide: leak ? () => whereAttackWorks(undefendedIn(far, attack), compared) : compared,
    };
  };
  const attacks = attacksOf(near);
  const controlled = attacks.every((attack) => controlsOf(near, attack).length > 0);
  const looks: readonly (readonly [string, Look])[] = [
    ...(controlled ? [["undefended", atUndefended] as const] : []),
    ...labelsWith(near, TL_DMI).flatMap((label) => [
      [label, atTarget(label)] as const,
      ...(controlled ? [[`${label} less undefended`, atChange(label)] as const] : []),
    ]),
  ];
  return looks.flatMap(([what, look]) => [
    // A target has one natural accuracy, whatever attacks it.
    ...attacks.slice(0, 1).map((attack) => ask(attack, what, look, "naturalAccuracy")),
    ...attacks.map((attack) => ask(attack, what, look, "attackAccuracy")),
  ]);
}

/** What reviewers of the paper's first version asked. */
export const pretrainingDistance: Claim = {
  title: "The result depends on how near the pre-training set is to the private one",
  said: "Not measured in the paper. Reviewers of its first version held that a related public set is needed (OpenReview, 2023).",
  test:
    "A target whose start weights know faces minus the same one whose start weights have seen none, person by person: of the undefended " +
    "target, of each with TL-DMI, and of what TL-DMI changes at the undefended one. Natural accuracy and attack accuracy under each attack " +
    "are a test each: it holds where the 95 % interval of its difference leaves out zero, by the evaluation model; what further judges see " +
    "is said beside it. " +
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
