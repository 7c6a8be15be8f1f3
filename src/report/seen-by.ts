import type { AreaBetween } from "../metrics/trade-off.ts";
import type { Condition } from "./conditions.ts";
import { pairedArea } from "./paired-area.ts";

/**
 * A condition with another judge's verdicts in the place of the evaluation model's, whose own top 5, floors and distances stay.
 * @param judge its place among the condition's judges; `all`: what every one of them sees
 * @returns undefined where one judge alone looked, or a result does not say what each saw of each person
 */
export function seenBy(condition: Condition, judge: number | "all"): Condition | undefined {
  const { judges, cells } = condition;
  if (judges === undefined || cells.some(({ identities }) => identities.some((person) => person.judges === undefined)))
    return undefined;
  return {
    ...condition,
    attackAccuracy: judge === "all" ? judges.unanimous : judges.judges[judge]!.attackAccuracy,
    cells: cells.map((cell) => ({
      ...cell,
      identities: cell.identities.map((person) => ({
        ...person,
        attackAccuracy: judge === "all" ? person.judges!.unanimous : person.judges!.attackAccuracy[judge]!,
      })),
    })),
  };
}

/** The names of the judges, in their order; undefined unless all conditions have the same ones, person by person. */
export function judgesOfAll(conditions: readonly Condition[]): readonly string[] | undefined {
  const [first, ...others] = conditions.map((condition) =>
    seenBy(condition, "all") === undefined ? undefined : condition.judges?.judges.map(({ name }) => name),
  );
  return others.every((names) => names?.join("\n") === first?.join("\n")) ? first : undefined;
}

/** The area between two curves as a judge sees it, or as all do together; all conditions must have that judge's word. */
export function areaSeenBy(
  judge: number | "all",
  first: readonly Condition[],
  second: readonly Condition[],
): AreaBetween | undefined {
  const seen = (curve: readonly Condition[]) => curve.map((condition) => seenBy(condition, judge)!);
  return pairedArea(seen(first), seen(second));
}
