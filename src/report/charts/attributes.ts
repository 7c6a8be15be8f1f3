import * as Plot from "@observablehq/plot";
import type { AttributeRecovery, Measured } from "../../study/result.ts";
import type { Condition } from "../conditions.ts";
import { meanOverSeeds } from "../seeds.ts";
import { chartBase, colorOf, LINE, MUTED, markOf } from "./look.ts";

/** One attribute read from the reconstructions of one condition, averaged over its seeds. */
export interface AttributeRow extends AttributeRecovery {
  readonly condition: Condition;
}

/** The attribute rows of conditions, averaged over seeds, in the order of the first cell's attributes. */
export function attributeRows(conditions: readonly Condition[]): readonly AttributeRow[] {
  return conditions.flatMap((condition) =>
    (condition.cells[0]?.attributeRecovery ?? []).map((attribute) => {
      const all = condition.cells.flatMap((cell) =>
        cell.attributeRecovery.filter(({ name }) => name === attribute.name),
      );
      const limits = [0, attribute.unit === "accuracy" ? 1 : Number.POSITIVE_INFINITY] as const;
      return {
        ...attribute,
        condition,
        reconstruction: meanOverSeeds(
          all.map((entry) => entry.reconstruction),
          limits,
        ),
        guess: meanOverSeeds(
          all.map((entry) => entry.guess),
          limits,
        ),
        real: meanOverSeeds(
          all.map((entry) => entry.real),
          limits,
        ),
      };
    }),
  );
}

/**
 * How far reconstructions lie between a guess and real images: a band from guess (left) to real (right) for each
 * attribute, a point with its 95 % interval for each condition. Errors run from high to low, so that to the right always
 * means that more leaks. All rows must have one unit.
 */
export function attributesChart(rows: readonly AttributeRow[], width: number): Plot.PlotOptions {
  const unit = rows[0]?.unit ?? "accuracy";
  const scale = unit === "accuracy" ? 100 : 1;
  const names = [...new Set(rows.map((row) => row.name))];
  const labels = [...new Set(rows.map((row) => row.condition.labelIndex))];
  const step = Math.max(26, 11 * labels.length + 12);
  const points = rows.map((row) => ({
    name: row.name,
    lane: labels.indexOf(row.condition.labelIndex),
    color: colorOf(row.condition.labelIndex),
    ...markOf(row.condition.labelIndex),
    x: row.reconstruction.value * scale,
    x1: row.reconstruction.low * scale,
    x2: row.reconstruction.high * scale,
  }));
  const mean = (name: string, read: (row: AttributeRow) => Measured) =>
    meanOf(rows.filter((row) => row.name === name).map((row) => read(row).value * scale));
  const bands = names.map((name) => ({
    name,
    guess: mean(name, (row) => row.guess),
    real: mean(name, (row) => row.real),
  }));
  const lanes = labels.map((_, lane) => {
    const dy = (lane - (labels.length - 1) / 2) * 11;
    const own = points.filter((point) => point.lane === lane);
    return [
      Plot.ruleY(own, { y: "name", x1: "x1", x2: "x2", stroke: "color", strokeWidth: 1.5, dy }),
      Plot.dot(own, { y: "name", x: "x", fill: "fill", r: 4, stroke: "stroke", strokeWidth: 1, dy }),
    ];
  });
  const longest = Math.max(...names.map((name) => name.length));
  return {
    ...chartBase(width, names.length * step + 56),
    marginLeft: Math.min(width * 0.4, 16 + longest * 6.6),
    marginRight: 14,
    marginTop: 8,
    marginBottom: 48,
    x: {
      label: unit === "accuracy" ? "accuracy, %" : "mean absolute error (smaller →)",
      labelArrow: "none",
      labelAnchor: "center",
      reverse: unit !== "accuracy",
      zero: true,
      nice: true,
      ticks: 5,
    },
    y: { type: "band", domain: names, label: null, padding: 0.28 },
    marks: [
      Plot.gridX({ stroke: LINE, strokeOpacity: 1, ticks: 5 }),
      Plot.axisY({ tickSize: 0, fill: "currentColor" }),
      Plot.barX(bands, { y: "name", x1: "guess", x2: "real", fill: LINE }),
      Plot.tickX(bands, { x: "guess", y: "name", stroke: MUTED, strokeDasharray: "2 2" }),
      Plot.tickX(bands, { x: "real", y: "name", stroke: MUTED, strokeWidth: 2 }),
      ...lanes,
    ],
  };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
