import type { Comparison } from "../conditions.ts";
import type { Difference } from "../difference.ts";
import { type Pair, pairOf } from "./pairs.ts";
import { defenseOf, settingsOf } from "./standings.ts";

/**
 * Each defense's settings, from the one that keeps most natural accuracy to the next: pairs of the stronger and the weaker. A boundary is no
 * setting of this kind: it has pages of its own.
 */
export function strengthened(standings: Comparison): readonly Pair[] {
  const names = [...new Set(standings.all.map(defenseOf))];
  return names
    .map((name) => settingsOf(standings, name))
    .filter((settings) => settings.every(({ boundary }) => boundary === null))
    .flatMap((settings) => {
      const ordered = settings.toSorted((a, b) => b.naturalAccuracy.value - a.naturalAccuracy.value);
      return ordered.slice(1).flatMap((stronger, i) => pairOf(stronger, ordered[i]!) ?? []);
    });
}

/** How much one defense takes from two attacks. */
export interface UnderBoth {
  readonly label: string;
  /** Attack accuracy, defended minus undefended, under each. */
  readonly first: Difference;
  readonly second: Difference;
}

/** What each setting that met both attacks takes from them. */
export function underBoth(first: Comparison, second: Comparison): readonly UnderBoth[] {
  const fall = ({ undefended, defended }: Comparison, label: string): Difference | undefined => {
    const condition = defended.find((one) => one.label === label);
    return undefended && condition && pairOf(condition, undefended)?.attack;
  };
  return first.defended.flatMap(({ label }) => {
    const [a, b] = [fall(first, label), fall(second, label)];
    return a && b ? [{ label, first: a, second: b }] : [];
  });
}
