import * as Plot from "@observablehq/plot";
import type { Curve } from "../../study/result.ts";
import { count } from "../numbers.ts";
import { chartBase, LINE } from "./look.ts";

/** One panel of training curves: the same quantity kind of one training, all seeds over each other. */
export interface CurvePanel {
  readonly title: string;
  /** `share` for accuracies in [0, 1], `number` for losses and the rest. */
  readonly unit: "share" | "number";
  readonly xLabel: string;
  /** Names in the order of their line styles. */
  readonly names: readonly string[];
  readonly lines: readonly { readonly name: string; readonly seed: number; readonly points: readonly Point[] }[];
}

type Point = readonly [number, number];

/** Dash patterns by a series' place in its panel; lines are told apart without colour, which belongs to defenses. */
const DASHES = ["none", "5 3", "1.5 3", "8 3 1.5 3", "12 4"] as const;

/** The dash pattern of the series at a place of a panel. */
export function dashOf(place: number): string {
  return DASHES[place % DASHES.length] ?? "none";
}

/** Epochs and steps are whole; ticks between them would be printed as if they were. */
const wholeOnly = (value: number) => (Number.isInteger(value) ? count(value) : "");

const isShare = (name: string, points: readonly Point[]) =>
  /accuracy|share|rate$/i.test(name) && points.every(([, value]) => value >= 0 && value <= 1);

/** Sorts curves into panels: by what is trained, then accuracies apart from losses. Points that are no numbers are left out. */
export function curvePanels(curves: readonly Curve[]): readonly CurvePanel[] {
  const panels = new Map<string, { panel: CurvePanel; lines: CurvePanel["lines"][number][] }>();
  for (const curve of curves) {
    for (const series of curve.series) {
      const points = series.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
      if (points.length === 0) continue;
      const unit = isShare(series.name, points) ? "share" : "number";
      const key = JSON.stringify([curve.name, unit]);
      const lines = panels.get(key)?.lines ?? [];
      lines.push({ name: series.name, seed: curve.seed, points });
      const names = [...new Set(lines.map((line) => line.name))];
      panels.set(key, { lines, panel: { title: curve.name, unit, xLabel: curve.xLabel, names, lines } });
    }
  }
  return [...panels.values()].map(({ panel }) => panel);
}

/** One panel as a small chart; accuracies always from 0 to 100 %, so that panels can be compared. */
export function curveChart(panel: CurvePanel, width: number): Plot.PlotOptions {
  const scale = panel.unit === "share" ? 100 : 1;
  const rows = panel.lines.map(({ name, points }) => ({
    dash: dashOf(panel.names.indexOf(name)),
    points: points.map(([x, y]) => ({ x, y: y * scale })),
  }));
  return {
    ...chartBase(width, 170),
    marginLeft: 42,
    marginRight: 8,
    marginTop: 12,
    marginBottom: 34,
    x: { label: panel.xLabel, labelArrow: "none", labelAnchor: "center", ticks: 4, tickFormat: wholeOnly },
    y: { label: null, ticks: 4, ...(panel.unit === "share" ? { domain: [0, 100] } : { nice: true }) },
    marks: [
      Plot.gridY({ stroke: LINE, strokeOpacity: 1, ticks: 4 }),
      // A path has one dash pattern, so each series is a mark of its own.
      ...rows.map(({ dash, points }) =>
        Plot.line(points, { x: "x", y: "y", stroke: "currentColor", strokeWidth: 1.4, strokeDasharray: dash }),
      ),
      // A line of one point would not show.
      Plot.dot(
        rows.filter(({ points }) => points.length === 1).flatMap(({ points }) => points),
        { x: "x", y: "y", r: 2.5, fill: "currentColor" },
      ),
    ],
  };
}
