import type { JudgesResult } from "../../../study/result.ts";
import { differenceOf, points } from "../../difference.ts";
import { percentWithInterval } from "../../numbers.ts";
import type { Claim, Question } from "../claim.ts";
import { againstUndefended, attacksOf, conditionsIn, labelsWith, TL_DMI, whereLess } from "../conditions.ts";
import type { StudyEvidence } from "../evidence.ts";

function question(study: StudyEvidence, attack: string, label: string): Question {
  return againstUndefended(study, attack, label, (cells) => {
    const [before, after] = [cells.undefended, cells.defended].map((own) => conditionsIn(own)[0]?.judges);
    if (!before || !after || namesOf(before) !== namesOf(after))
      return { verdict: "not testable here", why: "not every record has the same judges", figures: "" };
    const difference = differenceOf(before.unanimous, after.unanimous);
    const [was, is] = [before, after].map(({ unanimous }) => percentWithInterval(unanimous, 1));
    return {
      ...whereLess(difference, "all judges together see less", "all judges together see more"),
      figures: `all judges see ${is} against ${was}, ${points(difference)} points`,
    };
  });
}

const namesOf = ({ judges }: JudgesResult) => judges.map(({ name }) => name).join("\n");

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
