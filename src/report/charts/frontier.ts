import * as Plot from "@observablehq/plot";
import type { FrontierCell, FrontierRecord } from "../../study/frontier.ts";
import { percentWithInterval } from "../numbers.ts";
import { chartBase } from "./look.ts";

/** How a point is drawn. */
const LOOKS = {
  undefended: { symbol: "square", filled: true },
  sweep: { symbol: "circle", filled: true },
  other: { symbol: "diamond2", filled: false },
} as const;

/** Height of an attack's panel. */
const PANEL = 400;
/** Height of a name, and how much of the width it takes. */
const NAME = { height: 14, share: 0.1 };
/** Points from a mark to its name. */
const NAME_GAP = 18;

interface Named {
  readonly x: number;
  readonly y: number;
  readonly name: string;
}

/** Names at the height of their points or as little below as keeps them from lying on each other, from the top down. */
function spread<T extends Named>(rows: readonly T[], spanX: number, height: number): (T & { readonly at: number })[] {
  const placed: (T & { readonly at: number })[] = [];
  for (const row of rows.filter(({ name }) => name !== "").toSorted((a, b) => b.y - a.y)) {
    const near = placed.filter(({ x }) => Math.abs(x - row.x) < NAME.share * spanX);
    placed.push({ ...row, at: Math.min(row.y, ...near.map(({ at }) => at - height)) });
  }
  return placed;
}

/**
 * Attack accuracy against natural accuracy, a panel for each attack, down and right is better: a line through the boundaries from the
 * first stage to the last, beginning at the undefended model, for each seed; the study's other defenses as open diamonds;
 * whiskers for both 95 % intervals; a ring around the boundary that Fisher information chose and a larger, dashed one around the
 * best. The dashed rule is what random samples of the prior show. Names stand beside the first seed's points, or below
 * where there are many. Needs no style sheet.
 */
export function frontierChart({ frontiers }: FrontierRecord, width: number): Plot.PlotOptions {
  const attacks = [...new Set(frontiers.map(({ attack }) => attack))];
  const firstSeed = frontiers[0]?.seed;
  const rows = frontiers.flatMap(({ attack, seed, undefended, sweep, others, best, auto }) => {
    const place = (cell: FrontierCell, kind: keyof typeof LOOKS) => ({
      attack,
      seed,
      name: seed === firstSeed ? (kind === "sweep" ? (cell.boundary ?? "") : cell.label) : "",
      x: 100 * cell.naturalAccuracy.value,
      x1: 100 * cell.naturalAccuracy.low,
      x2: 100 * cell.naturalAccuracy.high,
      y: 100 * cell.attackAccuracy.value,
      y1: 100 * cell.attackAccuracy.low,
      y2: 100 * cell.attackAccuracy.high,
      onLine: kind !== "other",
      best: kind === "sweep" && cell.boundary === best,
      auto: kind === "sweep" && cell.boundary === auto,
      symbol: LOOKS[kind].symbol,
      fill: LOOKS[kind].filled ? "currentColor" : "none",
      title: `${cell.label}, ${attack}, seed ${seed}\nnatural accuracy ${percentWithInterval(cell.naturalAccuracy, 1)}\nattack accuracy ${percentWithInterval(cell.attackAccuracy, 1)}`,
    });
    return [
      place(undefended, "undefended"),
      ...sweep.map((cell) => place(cell, "sweep")),
      ...others.map((cell) => place(cell, "other")),
    ];
  });
  const top = Math.min(100, 10 * Math.ceil(Math.max(10, ...rows.map(({ y2 }) => y2)) / 10));
  const all = rows.flatMap(({ x1, x2 }) => [x1, x2]);
  const spanX = Math.max(...all) - Math.min(...all);
  const names = attacks.flatMap((attack) =>
    spread(
      rows.filter((row) => row.attack === attack),
      spanX,
      (NAME.height / PANEL) * top,
    ),
  );
  const floors = frontiers.map(({ attack, nothing }) => ({ attack, y: 100 * nothing.attackAccuracy.value }));
  const at = { x: "x", y: "y", fy: "attack" };
  const grid = { stroke: "currentColor", strokeOpacity: 0.12 };
  const faint = { stroke: "currentColor", strokeOpacity: 0.35 };
  return {
    ...chartBase(width, 60 + PANEL * Math.max(1, attacks.length)),
    marginLeft: 46,
    marginRight: 120,
    marginBottom: 44,
    x: { label: "natural accuracy, %", labelArrow: "right", nice: true, inset: 12 },
    y: { domain: [0, top], label: "attack accuracy top-1, %", labelArrow: "up", ticks: 5 },
    fy: { domain: attacks, label: null, padding: 0.12 },
    symbol: { type: "identity" },
    marks: [
      Plot.gridY({ ...grid, ticks: 5 }),
      Plot.gridX(grid),
      Plot.ruleY(floors, { y: "y", fy: "attack", ...faint, strokeDasharray: "4 4" }),
      Plot.line(
        rows.filter(({ onLine }) => onLine),
        { ...at, z: "seed", stroke: "currentColor", strokeOpacity: 0.6 },
      ),
      Plot.ruleX(rows, { x: "x", y1: "y1", y2: "y2", fy: "attack", ...faint }),
      Plot.ruleY(rows, { y: "y", x1: "x1", x2: "x2", fy: "attack", ...faint }),
      Plot.dot(rows, { ...at, symbol: "symbol", fill: "fill", stroke: "currentColor", r: 4.5, title: "title" }),
      Plot.dot(
        rows.filter(({ auto }) => auto),
        { ...at, r: 9, stroke: "currentColor", strokeWidth: 1.5 },
      ),
      Plot.dot(
        rows.filter(({ best }) => best),
        { ...at, r: 13, stroke: "currentColor", strokeWidth: 1.5, strokeDasharray: "3 3" },
      ),
      Plot.text(names, {
        x: "x",
        y: "at",
        fy: "attack",
        text: "name",
        fill: "currentColor",
        fontSize: 11,
        textAnchor: "start",
        dx: NAME_GAP,
      }),
    ],
  };
}
