import { count } from "../report/numbers.ts";
import { attackName, cellInWords, defenseName } from "../study/entry-labels.ts";
import type { StudyResult } from "../study/result.ts";
import { numberWithInterval, shareWithInterval } from "./format.ts";
import { table } from "./table.ts";

/** A study's result for people: a line a cell, then the cells that failed. Brackets hold 95 % intervals. */
export function resultTable({ cells, failed }: StudyResult): string {
  const rows = cells.map((cell) => [
    defenseName(cell),
    attackName(cell),
    String(cell.seed),
    shareWithInterval(cell.naturalAccuracy),
    shareWithInterval(cell.attackAccuracy),
    shareWithInterval(cell.attackAccuracyTop5),
    numberWithInterval(cell.knnDistance),
    shareWithInterval(cell.floors.randomPrior),
    shareWithInterval(cell.floors.initialSelection),
    count(cell.queries?.images ?? Number.NaN),
  ]);
  const titles = ["defense", "attack", "seed", "natural %", "top-1 %", "top-5 %", "KNN distance"];
  const floors = ["random floor %", "selection floor %"];
  const columns = [...titles, ...floors, "queries"].map(
    (title, at) => ({ title, align: at < 2 ? "left" : "right" }) as const,
  );
  const failures = failed.map((cell) => `failed: ${cellInWords(cell)}: ${cell.message}\n`);
  return table(columns, rows) + failures.join("");
}
