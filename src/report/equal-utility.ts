import type { AreaBetween } from "../metrics/trade-off.ts";
import { type Comparison, type Condition, defenseOf, UNDEFENDED } from "./conditions.ts";
import { pairedArea } from "./paired-area.ts";
import { areaSeenBy, judgesOfAll } from "./seen-by.ts";

/** Two defenses of one comparison at equal natural accuracy, by their kinds. */
export interface EqualUtility {
  readonly first: string;
  readonly second: string;
  /** First minus second, by the evaluation model. */
  readonly area: AreaBetween;
  /** The same by each further judge; none where there are none, or where results do not say what each saw of each person. */
  readonly others: readonly { readonly judge: string; readonly area: AreaBetween | undefined }[];
}

/** The targets on a defense's curve: all its settings, and the undefended model as its setting of no strength. */
export function curveOf(undefended: Condition | undefined, settings: readonly Condition[]): readonly Condition[] {
  return undefended === undefined ? settings : [undefended, ...settings];
}

/**
 * Compares every two defenses where both have the same natural accuracy. All settings of a kind make one curve, whatever the study calls them;
 * settings of combined defenses are curves of their own, and no defense from scratch is none. Pairs whose curves share no range are left out.
 */
export function equalUtility({ undefended, defended }: Comparison): readonly EqualUtility[] {
  const kinds = [...new Set(defended.map(defenseOf))].filter((kind) => kind !== UNDEFENDED);
  const curve = (kind: string) =>
    curveOf(
      undefended,
      defended.filter((setting) => defenseOf(setting) === kind),
    );
  return kinds.flatMap((first, i) =>
    kinds.slice(i + 1).flatMap((second) => {
      const curves = [curve(first), curve(second)] as const;
      const area = pairedArea(...curves);
      if (area === undefined) return [];
      const [, ...judges] = judgesOfAll(curves.flat()) ?? [];
      const others = judges.map((judge, i) => ({ judge, area: areaSeenBy(i + 1, ...curves) }));
      return [{ first, second, area, others }];
    }),
  );
}
