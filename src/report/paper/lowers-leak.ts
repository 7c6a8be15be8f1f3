import { bounded, type Difference, points } from "../difference.ts";
import { count, percentWithInterval } from "../numbers.ts";
import { pairedDifference } from "../paired-difference.ts";
import { UTILITY_LIMIT_POINTS } from "../summary.ts";
import type { Decision, Question } from "./claim.ts";
import {
  againstUndefended,
  type Compared,
  conditionsIn,
  labelsWith,
  resultsOf,
  TL_DMI,
  UNBOUNDED,
} from "./conditions.ts";
import type { EvidenceCell, StudyEvidence } from "./evidence.ts";
import { peopleKnown, wholeTarget } from "./whole-target.ts";

/** How `lowersLeak` decides, in words. */
export const LOWERS_LEAK =
  "attack accuracy on the target with TL-DMI minus that on the undefended one, person by person. Holds where the 95 % interval lies below " +
  `zero and natural accuracy falls by no more than ${UTILITY_LIMIT_POINTS} points, with its interval; does not hold where the attack finds ` +
  "more, or where the fall is certainly larger. A target's natural accuracy is of all people of whom a record of it, of whatever study, tells.";

/**
 * A question for each boundary of the study: does TL-DMI leak less under this attack, and stay useful?
 * @param studies where the same targets may have records that tell of more people
 */
export function lowersLeak(study: StudyEvidence, attack: string, studies: readonly StudyEvidence[]): Question[] {
  const whole = (cells: readonly EvidenceCell[]) => cells.map((cell) => wholeTarget(cell, studies));
  const decide = ({ undefended, defended }: Compared): Decision => {
    const [before, after] = [undefended, defended].map((own) => conditionsIn(own)[0]!);
    const leak = pairedDifference(resultsOf(undefended), resultsOf(defended), "attackAccuracy");
    const [start, end] = [resultsOf(whole(undefended)), resultsOf(whole(defended))];
    const natural = pairedDifference(start, end, "naturalAccuracy");
    const all = peopleKnown([...start, ...end]);
    const figures =
      `attack ${percentWithInterval(after!.attackAccuracy, 1)} against ${percentWithInterval(before!.attackAccuracy, 1)}, ` +
      `${points(leak)} points; natural accuracy ${points(natural)} points` +
      (all > peopleKnown(resultsOf([...undefended, ...defended])) ? ` of ${count(all)} people` : "");
    return { ...leakVerdict(leak, natural), figures };
  };
  return labelsWith(study, TL_DMI).map((label) => againstUndefended(study, attack, label, decide, whole));
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
