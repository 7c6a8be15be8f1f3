import type { Condition } from "./conditions.ts";

// Apart from how conditions are made, which knows every metric: charts draw these in a browser, where no metric is computed.

/** All conditions that one attack on one model was run under: what may be compared with each other. */
export interface Comparison {
  readonly model: string;
  readonly attack: string;
  /** `attack`, with the model's name where the study has several. */
  readonly title: string;
  readonly undefended: Condition | undefined;
  readonly defended: readonly Condition[];
  /** Undefended first. */
  readonly all: readonly Condition[];
}

/** The kinds of a condition's defense, whatever the study calls it: `tl-dmi + bido-hsic`. Settings of one defense have them in common. */
export const defenseOf = ({ cells }: Pick<Condition, "cells">): string => cells[0]!.defense;

const distinct = <T>(values: Iterable<T>): readonly T[] => [...new Set(values)];

/** Groups conditions that differ in the defense alone. */
export function comparisonsOf(conditions: readonly Condition[]): readonly Comparison[] {
  const models = distinct(conditions.map((condition) => condition.model));
  const keys = distinct(conditions.map(({ model, attack }) => JSON.stringify([model, attack])));
  return keys.flatMap((key) => {
    const members = conditions.filter(({ model, attack }) => JSON.stringify([model, attack]) === key);
    const first = members[0];
    if (first === undefined) return [];
    const all = members.toSorted((a, b) => Number(b.undefended) - Number(a.undefended));
    return [
      {
        model: first.model,
        attack: first.attack,
        title: models.length > 1 ? `${first.attack} on ${first.model}` : first.attack,
        undefended: all.find((condition) => condition.undefended),
        defended: all.filter((condition) => !condition.undefended),
        all,
      },
    ];
  });
}
