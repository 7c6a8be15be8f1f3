import { type Condition, UNDEFENDED } from "../conditions.ts";
import { type Difference, differenceOf } from "../difference.ts";
import { overCommonSeeds } from "./orders.ts";
import type { Standing } from "./standings.ts";

/** Two settings of one defense under one attack. */
export interface Strengthened {
  readonly weaker: Condition;
  readonly stronger: Condition;
  /** Stronger minus weaker. */
  readonly attack: Difference;
  readonly natural: Difference;
}

/**
 * Each defense's settings, from the one that keeps most natural accuracy to the next. A boundary is no setting of this kind: it has pages
 * of its own.
 */
export function strengthened(standings: readonly Standing[]): readonly Strengthened[] {
  return settingsByDefense(standings).flatMap((settings) => {
    const ordered = settings.toSorted((a, b) => b.naturalAccuracy.value - a.naturalAccuracy.value);
    return ordered.slice(1).flatMap((stronger, i) => {
      const pair = overCommonSeeds(stronger, ordered[i]!);
      if (pair === undefined) return [];
      return [
        {
          weaker: pair.more,
          stronger: pair.less,
          attack: differenceOf(pair.more.attackAccuracy, pair.less.attackAccuracy),
          natural: differenceOf(pair.more.naturalAccuracy, pair.less.naturalAccuracy),
        },
      ];
    });
  });
}

function settingsByDefense(standings: readonly Standing[]): readonly (readonly Condition[])[] {
  const names = [...new Set(standings.map(({ defense }) => defense))];
  return names
    .map((name) => standings.filter(({ defense }) => defense === name).map(({ condition }) => condition))
    .filter((settings) => settings.every(({ boundary }) => boundary === null));
}

/** How much one defense takes from two attacks. */
export interface UnderBoth {
  readonly label: string;
  /** Defended minus undefended, under each. */
  readonly first: Difference;
  readonly second: Difference;
}

/** What each setting that met both attacks takes from them. */
export function underBoth(first: readonly Standing[], second: readonly Standing[]): readonly UnderBoth[] {
  const fall = (standings: readonly Standing[], defended: Condition): Difference | undefined => {
    const undefended = undefendedOf(standings);
    const pair = undefended && overCommonSeeds(defended, undefended);
    return pair && differenceOf(pair.more.attackAccuracy, pair.less.attackAccuracy);
  };
  return first.flatMap(({ defense, condition }) => {
    if (defense === UNDEFENDED) return [];
    const other = second.find(({ condition: { label } }) => label === condition.label);
    if (other === undefined) return [];
    const [a, b] = [fall(first, condition), fall(second, other.condition)];
    return a && b ? [{ label: condition.label, first: a, second: b }] : [];
  });
}

/** The undefended model among them. */
export function undefendedOf(standings: readonly Standing[]): Condition | undefined {
  return standings.find(({ defense }) => defense === UNDEFENDED)?.condition;
}
