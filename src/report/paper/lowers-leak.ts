import { bounded, type Difference, points } from "../difference.ts";
import { percentWithInterval } from "../numbers.ts";
import { pairedDifference } from "../paired-difference.ts";
import type { PersonRate } from "../people-in-common.ts";
import { UTILITY_LIMIT_POINTS } from "../summary.ts";
import type { Decision, Question } from "./claim.ts";
import { againstUndefended, conditionsIn, labelsWith, resultsOf, TL_DMI, UNBOUNDED } from "./conditions.ts";
import type { StudyEvidence } from "./evidence.ts";

/** How `lowersLeak` decides, in words. */
export const LOWERS_LEAK =
  "attack accuracy on the target with TL-DMI minus that on the undefended one, person by person. Holds where the 95 % interval lies below " +
  `zero and natural accuracy falls by no more than ${UTILITY_LIMIT_POINTS} points, with its interval; does not hold where the attack finds ` +
  "more, or where the fall is certainly larger.";

/** A question for each boundary of the study: does TL-DMI leak less under this attack, and stay useful? */
export function lowersLeak(study: StudyEvidence, attack: string): Question[] {
  return labelsWith(study, TL_DMI).map((label) =>
    againstUndefended(study, attack, label, (cells) => {
      const [undefended, defended] = [cells.undefended, cells.defended].map((own) => conditionsIn(own)[0]!);
      const difference = (rate: PersonRate) =>
        pairedDifference(resultsOf(cells.undefended), resultsOf(cells.defended), rate);
      const [leak, natural] = [difference("attackAccuracy"), difference("naturalAccuracy")];
      const figures =
        `attack ${percentWithInterval(defended!.attackAccuracy, 1)} against ${percentWithInterval(undefended!.attackAccuracy, 1)}, ` +
        `${points(leak)} points; natural accuracy ${points(natural)} points`;
      return { ...leakVerdict(leak, natural), figures };
    }),
  );
}

function leakVerdict(leak: Difference, natural: Difference): Pick<Decision, "verdict" | "why"> {
  if (!bounded(leak) || !bounded(natural)) return UNBOUNDED;
  const limit = -UTILITY_LIMIT_POINTS / 100;
  if (leak.low > 0) return { verdict: "does not hold here", why: "the attack finds more" };
  if (natural.high < limit)
    return {
      verdict: "does not hold here",
      why: `natural accuracy falls by more than ${UTILITY_LIMIT_POINTS} points`,
    };
  if (leak.high >= 0) return { verdict: "not shown here", why: "the interval of the difference holds zero" };
  if (natural.low < limit)
    return {
      verdict: "not shown here",
      why: `the attack finds less, but natural accuracy may fall by more than ${UTILITY_LIMIT_POINTS} points`,
    };
  return { verdict: "holds here", why: "the attack finds less, intervals apart from zero" };
}
