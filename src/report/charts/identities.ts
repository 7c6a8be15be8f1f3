import * as Plot from "@observablehq/plot";
import type { Condition } from "../conditions.ts";
import { fixed } from "../numbers.ts";
import { chartBase, colorOf, LINE, MUTED } from "./look.ts";

/** One attacked identity under two conditions, averaged over seeds. Shares in [0, 1]. */
export interface IdentityPair {
  readonly identity: string;
  readonly label: number;
  /** Under the condition that the order follows. */
  readonly first: number;
  /** Under the condition beside it, where there is one that attacked this identity. */
  readonly second: number | undefined;
}

/** Each identity's attack accuracy under a condition, averaged over its seeds, by class label. */
export function identityAccuracies(condition: Condition): ReadonlyMap<number, { identity: string; accuracy: number }> {
  const values = new Map<number, { identity: string; all: number[] }>();
  for (const { identity, label, attackAccuracy } of condition.cells.flatMap((cell) => cell.identities)) {
    const entry = values.get(label) ?? { identity, all: [] };
    entry.all.push(attackAccuracy);
    values.set(label, entry);
  }
  return new Map(
    [...values].map(([label, { identity, all }]) => [
      label,
      { identity, accuracy: all.reduce((sum, value) => sum + value, 0) / all.length },
    ]),
  );
}

/** The identities of `first`, most leaking first, each with its value under `second`. */
export function identityPairs(first: Condition, second: Condition | undefined): readonly IdentityPair[] {
  const beside = second === undefined ? undefined : identityAccuracies(second);
  return [...identityAccuracies(first)]
    .map(([label, { identity, accuracy }]) => ({
      identity,
      label,
      first: accuracy,
      second: beside?.get(label)?.accuracy,
    }))
    .sort((a, b) => b.first - a.first || (b.second ?? 0) - (a.second ?? 0) || a.label - b.label);
}

/**
 * Attack accuracy of each identity, sorted by the first condition; a line to the same identity's value under the second.
 * Long lines downwards are identities that the defense protects.
 */
export function identitiesChart(first: Condition, second: Condition | undefined, width: number): Plot.PlotOptions {
  const rows = identityPairs(first, second).map((pair, place) => ({
    place: place + 1,
    a: pair.first * 100,
    b: pair.second === undefined ? undefined : pair.second * 100,
    title: `${pair.identity}\n${first.label} ${fixed(pair.first * 100, 0)} %${pair.second === undefined ? "" : `\n${second?.label} ${fixed(pair.second * 100, 0)} %`}`,
  }));
  const paired = rows.filter((row) => row.b !== undefined);
  const roomy = width / Math.max(rows.length, 1) > 9;
  const r = roomy ? 3.6 : 2.2;
  return {
    ...chartBase(width, 190),
    marginLeft: 40,
    marginBottom: 10,
    marginTop: 28,
    marginRight: 8,
    x: { domain: [0.2, rows.length + 0.8], axis: null },
    y: { domain: [-4, 104] },
    marks: [
      Plot.gridY([0, 25, 50, 75, 100], { stroke: LINE, strokeOpacity: 1 }),
      Plot.axisY([0, 50, 100], {
        tickSize: 0,
        label: "attack accuracy, %",
        labelArrow: "up",
        labelAnchor: "top",
      }),
      Plot.ruleX(paired, { x: "place", y1: "a", y2: "b", stroke: MUTED, strokeOpacity: 0.55, strokeWidth: 1.2 }),
      Plot.dot(rows, { x: "place", y: "a", r, fill: colorOf(first.labelIndex), title: "title" }),
      ...(second === undefined
        ? []
        : [
            Plot.dot(paired, {
              x: "place",
              y: "b",
              // A ring around the dot, so that both show where they are equal.
              r: r + (roomy ? 1.6 : 1),
              fill: "none",
              stroke: colorOf(second.labelIndex),
              strokeWidth: 1.8,
              title: "title",
            }),
          ]),
    ],
  };
}
