import * as Plot from "@observablehq/plot";
import { chartBase } from "../src/report/charts/look.ts";
import { count } from "../src/report/numbers.ts";

/** How time and memory grow along one size. */
export interface GrowthCurve {
  readonly along: string;
  /** At least two, in the order of their sizes. */
  readonly points: readonly { readonly at: number; readonly ms: number; readonly bytes: number }[];
}

// The picture stands beside a page of Markdown, without the report's style sheet: colours that show on white and on black.
const TEXT = "#7d8590";
const FAINT = "#7d859055";
const SERIES = [
  { name: "time", color: "#c8562a", symbol: "circle", of: "ms" },
  { name: "memory", color: "#2f81c7", symbol: "square", of: "bytes" },
] as const;

/** Sizes that grow by one factor. */
function arePowers(sizes: readonly number[]): boolean {
  const factors = sizes.slice(1).map((size, i) => size / sizes[i]!);
  return factors.every((factor) => Math.abs(factor / factors[0]! - 1) < 1e-6);
}

/**
 * Time and peak memory as multiples of the first point's, beside a dashed line for what grows as the size does. Both axes are logarithmic
 * where the sizes are powers.
 */
export function growthChart({ along, points }: GrowthCurve, width: number): Plot.PlotOptions {
  const [first, last] = [points[0]!, points.at(-1)!];
  const type = arePowers(points.map(({ at }) => at)) ? "log" : "linear";
  const lines = SERIES.map((series) => ({
    ...series,
    points: points.map((point) => ({ at: point.at, times: point[series.of] / first[series.of] })),
  }));
  const proportional = [first, last].map(({ at }) => ({ at, times: at / first.at }));
  const most = Math.max(...lines.flatMap((line) => line.points.map(({ times }) => times)));
  const least = Math.min(...lines.flatMap((line) => line.points.map(({ times }) => times)));
  const highest = lines.toSorted((a, b) => b.points.at(-1)!.times - a.points.at(-1)!.times)[0]!.name;
  const base = chartBase(width, Math.round(width * 0.5));
  return {
    ...base,
    style: { ...(base.style as object), color: TEXT },
    marginLeft: 48,
    marginRight: 76,
    marginTop: 30,
    marginBottom: 42,
    symbol: { type: "identity" },
    x: {
      type,
      label: along,
      labelArrow: "none",
      labelAnchor: "center",
      ticks: points.map(({ at }) => at),
      tickFormat: count,
    },
    y: {
      type,
      // What is proportional may leave the picture: it shows how far below it the curves stay.
      domain: [Math.min(least, 1) * 0.95, Math.max(most, 1.5) * 1.1],
      label: "multiple of the first point",
      labelArrow: "none",
      ticks: 5,
      tickFormat: (times: number) => `${Number(times.toPrecision(3))}×`,
    },
    marks: [
      Plot.gridY({ stroke: FAINT, strokeOpacity: 1, ticks: 5 }),
      Plot.line(proportional, { x: "at", y: "times", stroke: TEXT, strokeDasharray: "3 4", clip: true }),
      // Of two curves that end at one place, the names stand one above the other.
      ...lines.flatMap(({ name, color, symbol, points: drawn }) => [
        Plot.line(drawn, { x: "at", y: "times", stroke: color, strokeWidth: 1.8 }),
        Plot.dot(drawn, { x: "at", y: "times", fill: color, symbol, r: 4 }),
        Plot.text(drawn.slice(-1), {
          x: "at",
          y: "times",
          text: () => name,
          fill: color,
          textAnchor: "start",
          dx: 9,
          dy: name === highest ? -6 : 6,
        }),
      ]),
    ],
  };
}
