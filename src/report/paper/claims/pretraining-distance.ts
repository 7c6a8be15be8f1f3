import { UNDEFENDED } from "../../conditions.ts";
import { points } from "../../difference.ts";
import { type PersonRate, pairedDifference } from "../../paired-difference.ts";
import type { Claim, Question } from "../claim.ts";
import { attacksOf, labelsWith, resultsOf, TL_DMI, undefendedIn, whereAttackWorks } from "../conditions.ts";
import type { StudyEvidence } from "../evidence.ts";

/** Pre-training sets that know faces, to be held against one that does not. */
const NEAR = { faces: "other people in the same style", style: "people in another style" } as const;
const FAR = "no-faces";

/** Whether a study has the attacks and the boundaries of another. */
function hasAllOf(far: StudyEvidence, near: StudyEvidence): boolean {
  const [attacks, labels] = [attacksOf(far), labelsWith(far, TL_DMI)];
  return (
    attacksOf(near).every((attack) => attacks.includes(attack)) &&
    labelsWith(near, TL_DMI).every((label) => labels.includes(label))
  );
}

function questions(near: StudyEvidence, far: StudyEvidence, set: string): Question[] {
  return attacksOf(near).flatMap((attack) =>
    labelsWith(near, TL_DMI).map((label): Question => {
      const under = (study: StudyEvidence) =>
        study.cells.filter((cell) => cell.attack === attack && cell.label === label);
      const baseline = far.cells.filter((cell) => cell.attack === attack && cell.defense === UNDEFENDED);
      return {
        studies: [near.file, far.file],
        about: `${near.model}, ${attack}: ${label}, ${set}`,
        needs: [...under(near), ...under(far), ...baseline],
        decide: () =>
          whereAttackWorks(undefendedIn(far, attack), () => {
            const difference = (rate: PersonRate) =>
              pairedDifference(resultsOf(under(far)), resultsOf(under(near)), rate);
            const [natural, leak] = [difference("naturalAccuracy"), difference("attackAccuracy")];
            const figures = `natural accuracy ${points(natural)} points, attack accuracy ${points(leak)} points`;
            const differs = [natural, leak].map(({ low, high }) => low > 0 || high < 0);
            const what = ["natural accuracy", "attack accuracy"].filter((_, i) => differs[i]);
            return what.length > 0
              ? { verdict: "holds here", why: `${what.join(" and ")} differ${what.length > 1 ? "" : "s"}`, figures }
              : { verdict: "not shown here", why: "both intervals hold zero", figures };
          }),
      };
    }),
  );
}

/** What reviewers of the paper's first version asked. */
export const pretrainingDistance: Claim = {
  title: "The result depends on how near the pre-training set is to the private one",
  said: "Not measured in the paper. Reviewers of its first version held that a related public set is needed (OpenReview, 2023).",
  test:
    "A target with TL-DMI whose start weights know faces minus the same one whose start weights have seen none, person by person: holds where " +
    "the 95 % interval of the difference of natural or of attack accuracy leaves out zero.",
  questions: (studies) =>
    studies.flatMap((near) =>
      near.pretraining === "faces" || near.pretraining === "style"
        ? studies
            .filter((far) => far.pretraining === FAR && far.model === near.model && hasAllOf(far, near))
            .flatMap((far) => questions(near, far, NEAR[near.pretraining as keyof typeof NEAR]))
        : [],
    ),
};
