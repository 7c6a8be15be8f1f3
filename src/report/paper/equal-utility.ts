import type { Condition } from "../conditions.ts";
import { points } from "../difference.ts";
import { curveOf } from "../equal-utility.ts";
import { percent } from "../numbers.ts";
import { pairedArea } from "../paired-area.ts";
import type { Decision, Question } from "./claim.ts";
import {
  attacksOf,
  cellsOf,
  conditionsIn,
  controlsOf,
  undefendedIn,
  whereAttackWorks,
  whereLess,
} from "./conditions.ts";
import type { EvidenceCell, StudyEvidence } from "./evidence.ts";

/** How `leaksLess` decides, in words. */
export const LEAKS_LESS =
  "the mean difference of attack accuracy at equal natural accuracy, between the curves that straight lines draw through each defense's " +
  "settings and the undefended target. Holds where the 95 % interval lies below zero, does not hold where it lies above.";

/** Two defenses by their kinds: does the first leak less? All settings of a kind make its curve. */
export type Pair = readonly [first: string, second: string];

/** Two defenses under one attack of a study, with the records of their curves. */
export interface Compared {
  readonly study: StudyEvidence;
  readonly attack: string;
  readonly pair: Pair;
  readonly needs: readonly EvidenceCell[];
}

/** Each of these pairs under each attack of a study that meets undefended targets and both defenses. */
export function comparedIn(study: StudyEvidence, pairs: readonly Pair[]): readonly Compared[] {
  return pairs.flatMap((pair) =>
    attacksOf(study).flatMap((attack) => {
      const each = [controlsOf(study, attack), ...pair.map((defense) => cellsOf(study, attack, [defense]))];
      return each.some((cells) => cells.length === 0) ? [] : [{ study, attack, pair, needs: each.flat() }];
    }),
  );
}

/** The two curves. Every need must have its result. */
export function curvesOf({ study, attack, pair }: Compared): readonly [readonly Condition[], readonly Condition[]] {
  const undefended = undefendedIn(study, attack);
  const curve = (defense: string) => curveOf(undefended, conditionsIn(cellsOf(study, attack, [defense])));
  return [curve(pair[0]), curve(pair[1])];
}

/** The question about two defenses, where the attack works on the undefended target. */
export function atEqualUtility({ study, attack, pair, needs }: Compared, decide: () => Decision): Question {
  return {
    studies: [study.file],
    about: `${study.model}, ${attack}: ${pair[0]} against ${pair[1]}`,
    needs,
    decide: () => whereAttackWorks(undefendedIn(study, attack), decide),
  };
}

/** The answer where there is no area: where each defense lies, since one may cost less and show as little. */
export function noArea({ study, attack, pair }: Compared): Decision {
  const said = pair.map((defense) => {
    const settings = conditionsIn(cellsOf(study, attack, [defense]));
    const range = (rate: "naturalAccuracy" | "attackAccuracy") => {
      const values = settings.map((setting) => setting[rate].value).toSorted((a, b) => a - b);
      return [...new Set([values[0]!, values.at(-1)!].map((value) => percent(value, 1)))].join(" to ");
    };
    return `${defense}: natural accuracy ${range("naturalAccuracy")}, attack accuracy ${range("attackAccuracy")}`;
  });
  return {
    verdict: "not testable here",
    why: "the two have no natural accuracies in common, or hardly any",
    figures: said.join("; "),
  };
}

/** Does one defense leak less than another at equal natural accuracy? */
export function leaksLess(compared: Compared): Question {
  const [first] = compared.pair;
  return atEqualUtility(compared, () => {
    const area = pairedArea(...curvesOf(compared));
    if (area === undefined) return noArea(compared);
    const { difference, from, to } = area;
    const figures = `${points(difference)} points from ${percent(from, 1)} to ${percent(to, 1)} natural accuracy`;
    return { ...whereLess(difference, `${first} leaks less`, `${first} leaks more`), figures };
  });
}
