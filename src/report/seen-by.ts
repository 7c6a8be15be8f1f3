import type { AreaBetween } from "../metrics/trade-off.ts";
import type { Condition } from "./conditions.ts";
import { sameJudges } from "./judges.ts";
import { pairedArea } from "./paired-area.ts";

/**
 * A condition with another judge's verdicts in the place of the evaluation model's, whose own top 5, floors and distances stay.
 * @param condition one of which `judgesOfAll` knows the judges
 * @param judge its place among them; `all`: what every one of them sees
 */
export function seenBy(condition: Condition, judge: number | "all"): Condition {
  const { unanimous, judges } = condition.judges!;
  return {
    ...condition,
    attackAccuracy: judge === "all" ? unanimous : judges[judge]!.attackAccuracy,
    cells: condition.cells.map((cell) => ({
      ...cell,
      identities: cell.identities.map((person) => ({
        ...person,
        attackAccuracy: judge === "all" ? person.judges!.unanimous : person.judges!.attackAccuracy[judge]!,
      })),
    })),
  };
}

/** Whether all results say what each judge saw of each person. */
function saysOfEach({ cells }: Condition): boolean {
  return cells.every(({ identities }) => identities.every((person) => person.judges !== undefined));
}

/** The names of the judges, in their order; undefined unless all conditions have the same ones, person by person. */
export function judgesOfAll(conditions: readonly Condition[]): readonly string[] | undefined {
  return conditions.every(saysOfEach) ? sameJudges(conditions.map(({ judges }) => judges)) : undefined;
}

/** The area between two curves as a judge sees it, or as all do together; of conditions as `seenBy` takes them. */
export function areaSeenBy(
  judge: number | "all",
  first: readonly Condition[],
  second: readonly Condition[],
): AreaBetween | undefined {
  const seen = (curve: readonly Condition[]) => curve.map((condition) => seenBy(condition, judge));
  return pairedArea(seen(first), seen(second));
}
