import { type Condition, conditionsOf } from "../conditions.ts";
import type { Difference } from "../difference.ts";
import { pairedDifference } from "../paired-difference.ts";

/** Two settings under one attack, over the seeds that both have, and how they differ, person by person. */
export interface Pair {
  readonly first: Condition;
  readonly second: Condition;
  /** Attack accuracy, first minus second. */
  readonly attack: Difference;
  /** Natural accuracy, first minus second. */
  readonly natural: Difference;
}

/** Other seeds are other targets: what one of the two was not measured on says nothing of their difference. Undefined without a common seed. */
export function pairOf(one: Condition, other: Condition): Pair | undefined {
  const [first, second] = [overSeedsOf(one, other), overSeedsOf(other, one)];
  return (
    first &&
    second && {
      first,
      second,
      attack: pairedDifference(second.cells, first.cells, "attackAccuracy"),
      natural: pairedDifference(second.cells, first.cells, "naturalAccuracy"),
    }
  );
}

function overSeedsOf(own: Condition, other: Condition): Condition | undefined {
  const cells = own.cells.filter(({ seed }) => other.cells.some((cell) => cell.seed === seed));
  if (cells.length === own.cells.length) return own;
  const [condition] = conditionsOf(cells);
  return condition && { ...condition, label: own.label };
}
