import { type Comparison, type Condition, defenseOf, UNDEFENDED } from "../conditions.ts";
import type { Difference } from "../difference.ts";
import { type Pair, pairOf } from "./pairs.ts";
import { settingsOf } from "./standings.ts";

/**
 * Each defense's settings, from the one that keeps most natural accuracy to the next: pairs of the stronger and the weaker. A boundary is no
 * setting of this kind: it has pages of its own.
 */
export function strengthened(standings: Comparison): readonly Pair[] {
  const names = [...new Set(standings.all.map(defenseOf))].filter((name) => name !== UNDEFENDED);
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
  /** The settings themselves, under each. */
  readonly settings: readonly [first: Condition, second: Condition];
}

/** What each setting that met both attacks takes from them. */
export function underBoth(first: Comparison, second: Comparison): readonly UnderBoth[] {
  const fall = ({ undefended }: Comparison, condition: Condition): Difference | undefined =>
    undefended && pairOf(condition, undefended)?.attack;
  return first.defended.flatMap((own) => {
    const other = second.defended.find(({ label }) => label === own.label);
    const [a, b] = [fall(first, own), other && fall(second, other)];
    return other && a && b ? [{ label: own.label, first: a, second: b, settings: [own, other] }] : [];
  });
}

/** Whether two attacks met other targets, trained anew from the same settings: in a seed of both, natural accuracy differs. */
export function trainedAnew([first, second]: readonly [Condition, Condition]): boolean {
  return first.cells.some(({ seed, naturalAccuracy: { value } }) =>
    second.cells.some((other) => other.seed === seed && other.naturalAccuracy.value !== value),
  );
}
