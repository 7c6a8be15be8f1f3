import { join } from "node:path";
import { openCellRecords } from "../../study/cell-records.ts";
import { openPlan } from "../../study/open-plan.ts";
import type { CellResult } from "../../study/result.ts";
import { type Comparison, type Condition, comparisonsOf, conditionsOf, defenseOf } from "../conditions.ts";
import { evenlyFar } from "../even-seeds.ts";
import { settingName } from "../setting-name.ts";

/**
 * The settings of all defenses in several studies of the same targets and attacks; a cell that two studies share counts once, and seeds
 * that are behind others of their study wait for the rest. Settings bear in their names the keys that are not their defense's own:
 * `mid (beta 0.05)`.
 * @throws UserError for a study that cannot be run, or a record that cannot be read.
 */
export async function readStandings(options: {
  readonly studyFiles: readonly string[];
  readonly results: string;
  readonly runsDir: string;
}): Promise<readonly Comparison[]> {
  const { studyFiles, results, runsDir } = options;
  const cells = new Map<string, CellResult>();
  for (const studyFile of studyFiles) {
    const { study, plan } = await openPlan({ studyFile, runsDir });
    const recorded = await openCellRecords(join(results, "records", study.name)).findAll(plan.cells);
    const known = recorded.flatMap(({ cell, found }) =>
      found === undefined
        ? []
        : [
            {
              id: found.record.id,
              result: { ...found.record.result, defenseLabel: settingName(cell.target.defended) },
            },
          ],
    );
    for (const { id, result } of evenlyFar(known)) cells.set(id, result);
  }
  return comparisonsOf(conditionsOf([...cells.values()]));
}

/** The settings of one defense. */
export function settingsOf({ all }: Comparison, defense: string): readonly Condition[] {
  return all.filter((condition) => defenseOf(condition) === defense);
}
