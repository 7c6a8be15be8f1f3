import { join } from "node:path";
import type { z } from "zod";
import { defenses } from "../../defenses/index.ts";
import { openCellRecords } from "../../study/cell-records.ts";
import { openPlan } from "../../study/open-plan.ts";
import type { PlannedCell } from "../../study/plan.ts";
import type { CellResult } from "../../study/result.ts";
import { type Condition, conditionsOf } from "../conditions.ts";
import { evenlyFar } from "../even-seeds.ts";

/** One setting of a defense under one attack. */
export interface Standing {
  /** `tl-dmi + bido-hsic`: what settings of one defense have in common. */
  readonly defense: string;
  readonly condition: Condition;
}

/**
 * The settings of all defenses in several studies of the same targets and attacks, by the attack's name; a cell that two studies share
 * counts once, and seeds that are behind others of their study wait for the rest. Settings bear in their names the keys that are not their defense's own: `mid (beta 0.05)`.
 * @throws UserError for a study that cannot be run, or a record that cannot be read.
 */
export async function readStandings(options: {
  readonly studyFiles: readonly string[];
  readonly results: string;
  readonly runsDir: string;
}): Promise<ReadonlyMap<string, readonly Standing[]>> {
  const { studyFiles, results, runsDir } = options;
  const cells = new Map<string, CellResult>();
  for (const studyFile of studyFiles) {
    const { study, plan } = await openPlan({ studyFile, runsDir });
    const store = openCellRecords(join(results, "records", study.name));
    const found: { readonly id: string; readonly result: CellResult }[] = [];
    for (const cell of plan.cells) {
      const record = await store.find(cell);
      if (record === undefined) continue;
      found.push({ id: cell.evaluation.id, result: { ...record.result, defenseLabel: settingName(cell.target) } });
    }
    for (const { id, result } of evenlyFar(found)) cells.set(id, result);
  }
  return standingsOf([...cells.values()]);
}

/** Cells whose defenses have names of their own for each setting, by attack. */
export function standingsOf(cells: readonly CellResult[]): ReadonlyMap<string, readonly Standing[]> {
  const byAttack = new Map<string, Standing[]>();
  for (const condition of conditionsOf(cells)) {
    const standings = byAttack.get(condition.attack) ?? [];
    byAttack.set(condition.attack, [...standings, { defense: condition.cells[0]!.defense, condition }]);
  }
  return byAttack;
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
