import type { StudyResult } from "../study/result.ts";
import { measured, percent } from "./format.ts";
import { table } from "./table.ts";

/** A study's result for people: a line a cell, then the cells that failed. Brackets hold 95 % intervals. */
export function resultTable({ cells, failed }: StudyResult): string {
  const rows = cells.map((cell) => [
    cell.defense,
    cell.attack,
    String(cell.seed),
    percent(cell.naturalAccuracy),
    percent(cell.attackAccuracy),
    percent(cell.attackAccuracyTop5),
    measured(cell.knnDistance),
    percent(cell.floors.randomPrior),
    percent(cell.floors.initialSelection),
  ]);
  const titles = ["defense", "attack", "seed", "natural accuracy", "attack top-1", "attack top-5", "KNN distance"];
  const floors = ["floor: random", "floor: selection"];
  const columns = [...titles, ...floors].map((title, at) => ({ title, align: at < 2 ? "left" : "right" }) as const);
  const failures = failed.map(
    ({ defense, attack, seed, message }) => `failed: ${defense}, ${attack}, seed ${seed}: ${message}\n`,
  );
  return table(columns, rows) + failures.join("");
}
