import { attackName, defenseName } from "../study/entry-labels.ts";
import { namedMetrics } from "../study/named-metrics.ts";
import type { StudyResult } from "../study/result.ts";

/** Name of a study's table, beside its report. */
export const RESULTS_CSV = "results.csv";

/**
 * A study's finished cells as a table for other programs: a row a cell, with kinds and labels of its defense and attack, and of each number that any cell has its value, its 95 % interval
 * (`.low`, `.high`) and how many it is of (`.n`), named as in gates. RFC 4180, with a head line and LF; what a cell lacks is empty.
 */
export function resultsCsv({ cells }: Pick<StudyResult, "cells">): string {
  const metrics = namedMetrics.filter((metric) => cells.some((cell) => metric.read(cell) !== undefined));
  const head = ["defense", "attack", "model", "seed", "boundary", "run", "defense.label", "attack.label"];
  const columns = metrics.flatMap(({ name }) => [name, `${name}.low`, `${name}.high`, `${name}.n`]);
  const rows = cells.map((cell): (string | number)[] => [
    ...[cell.defense, cell.attack, cell.model, cell.seed, cell.boundary ?? "", cell.run],
    ...[defenseName(cell), attackName(cell)],
    ...metrics.flatMap((metric): (string | number)[] => {
      const measured = metric.read(cell);
      return measured === undefined ? ["", "", "", ""] : [measured.value, measured.low, measured.high, measured.n];
    }),
  ]);
  return [[...head, ...columns], ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
