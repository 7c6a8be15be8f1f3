import { resolve } from "node:path";
import { type CellRecords, openCellRecords } from "./cell-records.ts";
import { inOrder } from "./plan/in-order.ts";
import type { StudyPlan } from "./plan.ts";
import type { PlannedStep } from "./steps/planned.ts";

/** The steps that a study's result is made of: the probe's, then seed by seed the evaluations of cells that have no record. */
export async function openWaves({ linearProbe, cells }: StudyPlan, records?: CellRecords): Promise<PlannedStep[][]> {
  const known = await Promise.all(cells.map((cell) => records?.has(cell)));
  const open = cells.filter((_, at) => known[at] !== true);
  const seeds = [...new Set(open.map(({ seed }) => seed))];
  const waves = seeds.map((seed) => open.flatMap((cell) => (cell.seed === seed ? [cell.evaluation] : [])));
  return linearProbe ? [[linearProbe], ...waves] : waves;
}

/** The steps of a plan, less those that only cells with a record in the folder rest on. */
export async function wantedSteps(plan: StudyPlan, recordsDir?: string): Promise<readonly PlannedStep[]> {
  if (recordsDir === undefined) return plan.steps;
  return inOrder((await openWaves(plan, openCellRecords(resolve(recordsDir)))).flat());
}
