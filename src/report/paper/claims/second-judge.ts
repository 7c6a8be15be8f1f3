import { bounded, type Difference, points, sideOf } from "../../difference.ts";
import { percentWithInterval } from "../../numbers.ts";
import { pairedDifference } from "../../paired-difference.ts";
import { areaSeenBy, judgesOfAll, seenBy } from "../../seen-by.ts";
import type { Claim, Decision, Question } from "../claim.ts";
import { againstUndefended, attacksOf, conditionsIn, labelsWith, TL_DMI, UNBOUNDED, whereLess } from "../conditions.ts";
import { atEqualUtility, type Compared, comparedIn, curvesOf, noArea } from "../equal-utility.ts";
import type { StudyEvidence } from "../evidence.ts";
import { PARTS, RIVALS } from "./equal-utility.ts";

const OTHER_JUDGES: Decision = {
  verdict: "not testable here",
  why: "not every record has the same judges, with what each saw of each person",
  figures: "",
};

/** Do all judges together see less than on the undefended target? */
function undefendedQuestion(study: StudyEvidence, attack: string, label: string): Question {
  return againstUndefended(study, attack, label, (cells) => {
    const both = [cells.undefended, cells.defended].map((own) => conditionsIn(own)[0]!);
    if (judgesOfAll(both) === undefined) return OTHER_JUDGES;
    const [before, after] = both.map((condition) => seenBy(condition, "all"));
    const difference = pairedDifference(before!.cells, after!.cells, "attackAccuracy");
    const [was, is] = [before!, after!].map(({ attackAccuracy }) => percentWithInterval(attackAccuracy, 1));
    return {
      ...whereLess(difference, "all judges together see less", "all judges together see more"),
      figures: `all judges see ${is} against ${was}, ${points(difference)} points`,
    };
  });
}

/** Does every judge see less than in a rival's reconstructions, at equal natural accuracy? */
function rivalQuestion(compared: Compared): Question {
  return atEqualUtility(compared, () => {
    const curves = curvesOf(compared);
    const judges = judgesOfAll(curves.flat());
    if (judges === undefined) return OTHER_JUDGES;
    const together = areaSeenBy("all", ...curves)?.difference;
    const differences = judges.flatMap((_, place) => areaSeenBy(place, ...curves)?.difference ?? []);
    if (together === undefined || differences.length < judges.length) return noArea(compared);
    const said = judges.map((judge, place) => `${judge} ${points(differences[place]!)}`);
    const figures = `${said.join(", ")}, what all see ${points(together)} points`;
    return { ...judgesVerdict(differences), figures };
  });
}

function judgesVerdict(differences: readonly Difference[]): Pick<Decision, "verdict" | "why"> {
  if (!differences.every(bounded)) return UNBOUNDED;
  const sides = new Set(differences.map(sideOf));
  const [only] = sides.size === 1 ? sides : [];
  if (only === -1) return { verdict: "holds here", why: "every judge sees less" };
  if (only === 1) return { verdict: "does not hold here", why: "every judge sees more" };
  if (sides.has(-1) && sides.has(1)) return { verdict: "not shown here", why: "one judge sees less, another more" };
  return { verdict: "not shown here", why: "not for every judge does the interval of the difference leave out zero" };
}

/** A question that the paper leaves open. */
export const secondJudge: Claim = {
  title: "The gain is no artefact of one judge",
  said: "Not in the paper, which asks one evaluation model: images that one classifier alone takes for a person may be false positives.",
  test:
    "Against the undefended target: the share of reconstructions in which every judge sees the attacked identity, with TL-DMI minus without, " +
    "person by person. Holds where the 95 % interval lies below zero. Against rivals: the mean difference of attack accuracy at equal natural " +
    "accuracy, judge by judge. Holds where every judge's interval lies below zero, does not hold where every one lies above. For studies " +
    "with several judges. Natural accuracy has no say in the first kind: the first claim's table says what each boundary costs.",
  questions: (studies) =>
    studies
      .filter(({ judges }) => judges)
      .flatMap((study) => [
        ...attacksOf(study).flatMap((attack) =>
          labelsWith(study, TL_DMI).map((label) => undefendedQuestion(study, attack, label)),
        ),
        ...comparedIn(study, [...RIVALS, ...PARTS]).map(rivalQuestion),
      ]),
};
