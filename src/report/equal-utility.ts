import type { AreaBetween } from "../metrics/trade-off.ts";
import type { Comparison, Condition } from "./conditions.ts";
import { pairedArea } from "./paired-area.ts";

/** Two defenses of one comparison at equal natural accuracy. */
export interface EqualUtility {
  readonly first: string;
  readonly second: string;
  /** First minus second. */
  readonly area: AreaBetween;
}

/**
 * Compares every two defenses where both have the same natural accuracy. A defense's settings, and the undefended model as its setting of
 * no strength, make a curve; settings of combined defenses are curves of their own. Pairs whose curves share no range are left out.
 */
export function equalUtility({ undefended, defended }: Comparison): readonly EqualUtility[] {
  const names = [...new Set(defended.map(({ defense }) => defense))];
  const curve = (name: string): Condition[] => [
    ...(undefended === undefined ? [] : [undefended]),
    ...defended.filter(({ defense }) => defense === name),
  ];
  return names.flatMap((first, i) =>
    names.slice(i + 1).flatMap((second) => {
      const area = pairedArea(curve(first), curve(second));
      return area === undefined ? [] : [{ first, second, area }];
    }),
  );
}
