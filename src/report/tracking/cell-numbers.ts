import { namedMetrics } from "../../study/named-metrics.ts";
import type { CellResult } from "../../study/result.ts";

/** A cell's numbers by the names that gates and comparisons use; those that it lacks are left out. */
export function cellNumbers(cell: CellResult): readonly (readonly [name: string, value: number])[] {
  return namedMetrics.flatMap((metric) => {
    const measured = metric.read(cell);
    return measured === undefined ? [] : [[metric.name, measured.value] as const];
  });
}

/** The name of a cell's run folder, which tells the cells of a study apart. */
export function cellFolder({ run }: CellResult): string {
  return run.slice(run.lastIndexOf("/") + 1);
}
