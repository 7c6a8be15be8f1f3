import * as Plot from "@observablehq/plot";
import { type Comparison, comparisonsOf } from "../comparisons.ts";
import type { Condition } from "../conditions.ts";
import { fixed, percentWithInterval } from "../numbers.ts";
import { chartBase, colorOf, LINE, MUTED, markOf, symbolOf } from "./look.ts";
import { spread } from "./spread.ts";

/** Up to this many points carry their names; more would lie on each other, and the legend tells them apart. */
const NAMED_POINTS = 6;

/** Names in a column beside the plot, in pixels: its least width, what a character takes of it, and the height of a line. */
const COLUMN = 160;
const COLUMN_CHARACTER = 6.6;
const COLUMN_LINE = 15;

/** Names nearer to each other than this, in points, would be printed over each other. */
const NAME_HEIGHT = 5;

const MARGIN = { top: 30, bottom: 44 };

interface FloorName {
  readonly y: number;
  readonly text: string;
}

/** Room for the longest name beside the plot. */
function columnWidth(rows: readonly { readonly label: string }[]): number {
  return Math.max(COLUMN, ...rows.map(({ label }) => Math.ceil(12 + COLUMN_CHARACTER * label.length)));
}

/** The floors of each comparison's first condition: the undefended one where there is one. */
function floorsOf(comparisons: readonly Comparison[], kind: keyof Condition["floors"]) {
  return comparisons.flatMap(({ title, all }) => {
    const value = all[0]?.floors[kind].value;
    return value === undefined ? [] : [{ title, y: value * 100 }];
  });
}

/** One name for floors that lie close together; the attack is said only where there is more than one name. */
function floorNames(floors: readonly { readonly title: string; readonly y: number }[], name: string): FloorName[] {
  const groups: (typeof floors)[number][][] = [];
  for (const floor of floors.toSorted((a, b) => a.y - b.y)) {
    const last = groups.at(-1);
    if (last?.at(-1) !== undefined && floor.y - (last.at(-1)?.y ?? 0) < NAME_HEIGHT) last.push(floor);
    else groups.push([floor]);
  }
  return groups.map((group) => {
    const values = [...new Set([group[0], group.at(-1)].map((floor) => fixed(floor?.y ?? 0, 0)))].join("–");
    const attacks = groups.length > 1 ? `, ${group.map(({ title }) => title).join(", ")}` : "";
    return { y: group.at(-1)?.y ?? 0, text: `${name} ${values}${attacks}` };
  });
}

/** The names of one kind of floor, above their rules at one end of the plot. */
function floorText(
  floors: Parameters<typeof floorNames>[0],
  name: string,
  at: number,
  textAnchor: "start" | "end",
): Plot.Markish {
  return Plot.text(floorNames(floors, name), {
    x: () => at,
    y: "y",
    text: "text",
    fill: MUTED,
    fontSize: 11,
    textAnchor,
    dx: textAnchor === "start" ? 4 : -4,
    dy: -8,
  });
}

/** The natural accuracies with room on both sides, at least ten points wide, within 0 … 100. */
function utilityDomain(conditions: readonly Condition[]): [number, number] {
  const bounds = conditions.flatMap(({ naturalAccuracy, cells }) => [
    naturalAccuracy.low * 100,
    naturalAccuracy.high * 100,
    ...cells.map((cell) => cell.naturalAccuracy.value * 100),
  ]);
  const low = Math.min(...bounds);
  const high = Math.max(...bounds);
  const room = Math.max(1, (10 - (high - low)) / 2, (high - low) * 0.08);
  return [Math.max(0, Math.floor(low - room)), Math.min(100, Math.ceil(high + room))];
}

/** Of points with one name, so close that it would be printed over itself, the highest. */
function namedOnce<Row extends { readonly label: string; readonly x: number; readonly y: number }>(
  rows: readonly Row[],
): Row[] {
  const highest = rows.toSorted((a, b) => b.y - a.y);
  return rows.filter((row) => {
    const above = highest.slice(0, highest.indexOf(row));
    return !above.some((o) => o.label === row.label && Math.abs(o.x - row.x) < 1 && o.y - row.y < NAME_HEIGHT);
  });
}

/** Where the names of points stand in a column beside a plot of that height, in points of attack accuracy. */
function namePlaces(rows: readonly { readonly y: number }[], height: number): number[] {
  const line = (COLUMN_LINE * 100) / (height - MARGIN.top - MARGIN.bottom);
  const values = rows.map(({ y }) => y);
  return spread(values, line, [0, 100]);
}

/**
 * Utility against leakage: natural accuracy to the right, attack accuracy upwards, so that down and right is better.
 * A point a condition, whiskers for both 95 % intervals, colour by defense, symbol by attack, faint points for single
 * seeds, thin dashed rules for the floors of the first condition of each attack (the undefended one where there is one).
 * @param names `few`: at the points where they are few, for a page that has a legend; `beside`: in a column, with a line to each point
 */
export function utilityLeakageChart(
  conditions: readonly Condition[],
  width: number,
  names: "few" | "beside" = "few",
): Plot.PlotOptions {
  const rows = conditions.map((condition) => ({
    ...condition,
    color: colorOf(condition.labelIndex),
    ...markOf(condition.labelIndex),
    symbol: symbolOf(condition.attackIndex),
    x: condition.naturalAccuracy.value * 100,
    x1: condition.naturalAccuracy.low * 100,
    x2: condition.naturalAccuracy.high * 100,
    y: condition.attackAccuracy.value * 100,
    y1: condition.attackAccuracy.low * 100,
    y2: condition.attackAccuracy.high * 100,
  }));
  const seeds = rows
    .filter((row) => row.cells.length > 1)
    .flatMap(({ cells, color, symbol }) =>
      cells.map((cell) => ({
        color,
        symbol,
        x: cell.naturalAccuracy.value * 100,
        y: cell.attackAccuracy.value * 100,
      })),
    );
  const comparisons = comparisonsOf(conditions);
  const selection = floorsOf(comparisons, "initialSelection");
  const random = floorsOf(comparisons, "randomPrior");
  const domain = utilityDomain(conditions);
  const middle = (domain[0] + domain[1]) / 2;
  const height = Math.round(width > 500 ? width * 0.66 : width * 0.95);
  const beside = names === "beside";
  const named = !beside && rows.length <= NAMED_POINTS ? namedOnce(rows) : [];
  const nameMark = (toTheRight: boolean) =>
    Plot.text(
      named.filter((row) => row.x > middle === !toTheRight),
      {
        x: "x",
        y: "y",
        text: "label",
        fill: "color",
        stroke: "var(--paper)",
        strokeWidth: 3,
        fontWeight: 600,
        textAnchor: toTheRight ? "start" : "end",
        dx: toTheRight ? 10 : -10,
        dy: -11,
      },
    );
  const places = beside ? namePlaces(rows, height) : [];
  const column = places.map((y, i) => ({ ...rows[i]!, x: domain[1], from: rows[i]!.x, to: rows[i]!.y, y }));
  return {
    ...chartBase(width, height),
    marginLeft: 46,
    marginBottom: MARGIN.bottom,
    marginTop: MARGIN.top,
    marginRight: beside ? columnWidth(rows) : 12,
    symbol: { type: "identity" },
    x: { domain, label: "natural accuracy, %", labelArrow: "right", ticks: width > 500 ? 8 : 5 },
    y: { domain: [0, 100], label: "attack accuracy top-1, %", labelArrow: "up", ticks: 5 },
    marks: [
      Plot.gridY({ stroke: LINE, strokeOpacity: 1, ticks: 5 }),
      Plot.gridX({ stroke: LINE, strokeOpacity: 1, ticks: width > 500 ? 8 : 5 }),
      Plot.ruleY([...selection, ...random], { y: "y", stroke: MUTED, strokeDasharray: "4 4", strokeWidth: 1 }),
      // The two floors may lie close together, so their names stand at opposite ends.
      floorText(selection, "initial selection", domain[0], "start"),
      floorText(random, "random prior", domain[1], "end"),
      Plot.link(column, { x1: "from", y1: "to", x2: "x", y2: "y", stroke: "color", strokeOpacity: 0.45 }),
      Plot.text(column, { x: "x", y: "y", text: "label", fill: "color", textAnchor: "start", dx: 6 }),
      Plot.dot(seeds, { x: "x", y: "y", stroke: "color", symbol: "symbol", r: 3, strokeOpacity: 0.55 }),
      Plot.ruleX(rows, { x: "x", y1: "y1", y2: "y2", stroke: "color", strokeWidth: 1.5 }),
      Plot.ruleY(rows, { y: "y", x1: "x1", x2: "x2", stroke: "color", strokeWidth: 1.5 }),
      Plot.dot(rows, {
        x: "x",
        y: "y",
        fill: "fill",
        symbol: "symbol",
        r: 5.5,
        stroke: "stroke",
        strokeWidth: 1.5,
        title: (row: Condition) =>
          `${row.label}, ${row.attack}\nnatural accuracy ${percentWithInterval(row.naturalAccuracy, 1)}\nattack accuracy ${percentWithInterval(row.attackAccuracy, 1)}`,
      }),
      nameMark(true),
      nameMark(false),
    ],
  };
}
