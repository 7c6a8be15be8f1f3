import { UNDEFENDED } from "../../conditions.ts";
import { differenceOf } from "../../difference.ts";
import { percentWithInterval } from "../../numbers.ts";
import type { Claim, Question } from "../claim.ts";
import { attacksOf, conditionsIn, labelsWith, points, TL_DMI, undefendedIn, whereAttackWorks } from "../conditions.ts";
import type { StudyEvidence } from "../evidence.ts";

function question(study: StudyEvidence, attack: string, label: string): Question {
  const cells = study.cells.filter(
    (cell) => cell.attack === attack && (cell.defense === UNDEFENDED || cell.label === label),
  );
  return {
    studies: [study.file],
    about: `${study.model}, ${attack}: ${label}`,
    needs: cells,
    decide() {
      const undefended = undefendedIn(study, attack);
      return whereAttackWorks(undefended, () => {
        const [defended] = conditionsIn(cells.filter((cell) => cell.label === label));
        const [before, after] = [undefended.judges!.unanimous, defended!.judges!.unanimous];
        const difference = differenceOf(before, after);
        const figures = `all judges see ${percentWithInterval(after, 1)} against ${percentWithInterval(before, 1)}, ${points(difference)} points`;
        if (difference.high < 0) return { verdict: "holds here", why: "all judges together see less", figures };
        if (difference.low > 0) return { verdict: "does not hold here", why: "all judges together see more", figures };
        return { verdict: "not shown here", why: "the interval of the difference holds zero", figures };
      });
    },
  };
}

/** A question that the paper leaves open. */
export const secondJudge: Claim = {
  title: "The gain is no artefact of one judge",
  said: "Not in the paper, which asks one evaluation model: images that one classifier alone takes for a person may be false positives.",
  test:
    "The share of reconstructions in which every judge sees the attacked identity, with TL-DMI minus without. Holds where the 95 % " +
    "interval lies below zero. For studies with several judges.",
  questions: (studies) =>
    studies
      .filter(({ judges }) => judges)
      .flatMap((study) =>
        attacksOf(study).flatMap((attack) => labelsWith(study, TL_DMI).map((label) => question(study, attack, label))),
      ),
};
