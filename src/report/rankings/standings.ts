import { join } from "node:path";
import type { z } from "zod";
import { defenses } from "../../defenses/index.ts";
import { openCellRecords } from "../../study/cell-records.ts";
import { openPlan } from "../../study/open-plan.ts";
import type { PlannedCell } from "../../study/plan.ts";
import type { CellResult } from "../../study/result.ts";
import { type Comparison, type Condition, comparisonsOf, conditionsOf } from "../conditions.ts";
import { evenlyFar } from "../even-seeds.ts";

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
        : [{ id: found.record.id, result: { ...found.record.result, defenseLabel: settingName(cell.target) } }],
    );
    for (const { id, result } of evenlyFar(known)) cells.set(id, result);
  }
  return comparisonsOf(conditionsOf([...cells.values()]));
}

/** `tl-dmi + bido-hsic`: what settings of one defense have in common. */
export const defenseOf = ({ cells }: Condition): string => cells[0]!.defense;

/** The settings of one defense. */
export function settingsOf({ all }: Comparison, defense: string): readonly Condition[] {
  return all.filter((condition) => defenseOf(condition) === defense);
}

/** `mid (beta 0.05)`, without the boundary. */
function settingName({ defended }: PlannedCell["target"]): string {
  const changed = defended.changes.flatMap(({ kind, ...config }) => {
    const keys = defenses.find((member) => member.kind === kind)?.config.shape as Readonly<Record<string, z.ZodType>>;
    const own = (key: string) => keys[key]?.safeParse(undefined).data;
    return Object.entries(config)
      .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(own(key)))
      .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  });
  return changed.length === 0 ? defended.name : `${defended.name} (${changed.join(", ")})`;
}
