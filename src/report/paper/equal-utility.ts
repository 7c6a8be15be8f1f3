import { points } from "../difference.ts";
import { curveOf } from "../equal-utility.ts";
import { percent } from "../numbers.ts";
import { pairedArea } from "../paired-area.ts";
import type { Question } from "./claim.ts";
import { cellsOf, conditionsIn, controlsOf, undefendedIn, whereAttackWorks, whereLess } from "./conditions.ts";
import type { StudyEvidence } from "./evidence.ts";

/** How `leaksLess` decides, in words. */
export const LEAKS_LESS =
  "the mean difference of attack accuracy at equal natural accuracy, between the curves that straight lines draw through each defense's " +
  "settings and the undefended target. Holds where the 95 % interval lies below zero, does not hold where it lies above.";

/** Does one defense leak less than another at equal natural accuracy? Names are kinds: all settings of a kind make its curve. */
export function leaksLess(study: StudyEvidence, attack: string, first: string, second: string): Question {
  return {
    studies: [study.file],
    about: `${study.model}, ${attack}: ${first} against ${second}`,
    needs: [...controlsOf(study, attack), ...cellsOf(study, attack, [first, second])],
    decide: () =>
      whereAttackWorks(undefendedIn(study, attack), (undefended) => {
        const curve = (defense: string) => curveOf(undefended, conditionsIn(cellsOf(study, attack, [defense])));
        const area = pairedArea(curve(first), curve(second));
        if (area === undefined)
          return {
            verdict: "not testable here",
            why: "the two have no natural accuracies in common, or hardly any",
            figures: "",
          };
        const { difference, from, to } = area;
        const figures = `${points(difference)} points from ${percent(from, 1)} to ${percent(to, 1)} natural accuracy`;
        return { ...whereLess(difference, `${first} leaks less`, `${first} leaks more`), figures };
      }),
  };
}
