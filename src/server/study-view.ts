import { attackName, defenseName } from "../study/entry-labels.ts";
import type { CellResult, StudyResult } from "../study/result.ts";
import { CONFIG_FILE, RESULT_FILE } from "../study/run-folder.ts";
import type { Control, GridCell, RunRow, StudyView } from "./api.ts";
import type { Confined } from "./confined.ts";
import type { EventLogs } from "./event-log.ts";
import type { RunIndex } from "./run-index.ts";

/** A study's result in its folder; named here so that the server need not load what runs studies. */
export const STUDY_FILE = "study.json";

/** What views are made from. */
export interface ViewSources {
  readonly runs: Confined;
  readonly index: RunIndex;
  readonly logs: EventLogs;
}

const CELL_STATES: Readonly<Record<RunRow["state"], GridCell["state"]>> = {
  QUEUED: "waiting",
  RUNNING: "running",
  COMPLETED: "done",
  FAILED: "failed",
  INTERRUPTED: "stopped",
  LOST: "stopped",
};

/** A study as its page shows it. */
export async function studyView(sources: ViewSources, row: RunRow, control: Control): Promise<StudyView> {
  const { runs } = sources;
  const result = await readResult<StudyResult>(runs, row.id, STUDY_FILE);
  return {
    row,
    control,
    grid: await gridOf(sources, row),
    notes: result?.notes ?? [],
    curves: result?.curves ?? [],
  };
}

/** The cells that the newest attempt planned; of a run that wrote no plan, those that have a folder. */
async function gridOf({ runs, index, logs }: ViewSources, row: RunRow): Promise<GridCell[]> {
  const { events } = await logs.newest([row.id]);
  const started = events.find(({ event }) => event.type === "study-started")?.event;
  const planned = started?.type === "study-started" ? started.grid : undefined;
  const folders = await runs.folders(row.id, "cells");
  const failures = new Map(
    events.flatMap(({ event }) =>
      event.type === "cell-finished" && event.status === "failed" && event.cell !== undefined
        ? [[event.cell, event.message ?? ""] as const]
        : [],
    ),
  );
  const names = planned ?? folders.map((cell) => ({ cell, defense: cell, attack: "", seed: 0 }));
  return Promise.all(
    names.map(async (name): Promise<GridCell> => {
      const found = folders.includes(name.cell);
      const id = `${row.id}/${name.cell}`;
      const cellRow = found ? await index.find(id) : undefined;
      const result = found ? await readResult<CellResult>(runs, id, RESULT_FILE) : undefined;
      const failure = failures.get(name.cell) ?? cellRow?.error;
      const shown =
        planned === undefined && result !== undefined
          ? { ...name, defense: defenseName(result), attack: attackName(result), seed: result.seed }
          : name;
      return {
        ...shown,
        found,
        state: failures.has(name.cell) ? "failed" : cellRow === undefined ? "waiting" : CELL_STATES[cellRow.state],
        ...(failure !== undefined && { message: failure }),
        ...(result && { naturalAccuracy: result.naturalAccuracy, attackAccuracy: result.attackAccuracy }),
      };
    }),
  );
}

/** A result of this version, as it was written; undefined where there is none. */
export async function readResult<Result extends { readonly schemaVersion: 1 }>(
  runs: Confined,
  id: string,
  file: string,
): Promise<Result | undefined> {
  try {
    const value = JSON.parse((await runs.text(...id.split("/").flatMap(cellPath), file)) ?? "null") as Result | null;
    return value?.schemaVersion === 1 ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `study/cell` lies in `study/cells/cell`. */
export function cellPath(name: string, at: number): string[] {
  return at === 0 ? [name] : ["cells", name];
}

/** The folder names that lead to a run. */
export function folderOf(id: string): string[] {
  return id.split("/").flatMap(cellPath);
}

/** A run's resolved study file; undefined where it has none. */
export async function configOf(runs: Confined, id: string): Promise<string | undefined> {
  return runs.text(...folderOf(id), CONFIG_FILE);
}
