import type { Condition } from "./conditions.ts";
import { type Difference, differenceOf } from "./difference.ts";
import { pairedDifference } from "./paired-difference.ts";
import { peopleInCommon } from "./people-in-common.ts";
import { seedsInWords } from "./seeds-in-words.ts";
import { judgesOfAll, seenBy } from "./seen-by.ts";

/** How much more an attack finds on one target than on another. */
export interface AttackChange extends Difference {
  /** Whether it was taken person by person; otherwise it comes from the two rates' intervals. */
  readonly paired: boolean;
}

/**
 * Attack accuracy on the second condition minus that on the first: person by person where both have the same seeds and people, and results
 * say what this judge saw of each.
 * @param judge its place among the judges; the first is the evaluation model
 */
export function changeOfAttack(first: Condition, second: Condition, judge = 0): AttackChange {
  const pairable =
    seedsInWords(first.cells) === seedsInWords(second.cells) &&
    peopleInCommon([...first.cells, ...second.cells], ["attackAccuracy"]).length > 1;
  const seen = (condition: Condition) => (judge === 0 ? condition : seenBy(condition, judge));
  if (pairable && (judge === 0 || judgesOfAll([first, second]) !== undefined))
    return { ...pairedDifference(seen(first).cells, seen(second).cells, "attackAccuracy"), paired: true };
  const rate = (condition: Condition) =>
    judge === 0 ? condition.attackAccuracy : condition.judges!.judges[judge]!.attackAccuracy;
  return { ...differenceOf(rate(first), rate(second)), paired: false };
}
