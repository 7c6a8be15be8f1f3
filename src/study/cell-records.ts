import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { cellFolder, cellName } from "./cell.ts";
import { labelsOf, type PlannedCell } from "./plan.ts";
import type { Provenance } from "./provenance.ts";
import type { CellResult } from "./result.ts";

/** A finished cell without its images and weights: what another machine needs to go on with the study, and a page of results to be written from. */
export interface CellRecord {
  readonly schemaVersion: 1;
  readonly study: string;
  /** The id of the cell's evaluation: it stands for every setting that the result rests on. */
  readonly id: string;
  readonly result: CellResult;
  /** Wall time by what was done, in seconds. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly machine: Provenance;
}

/** A folder of cells' records. */
export interface CellRecords {
  /** The record of that very cell, with every setting as it is planned; undefined where there is none. @throws UserError for a file that is no record. */
  find(cell: PlannedCell): Promise<CellRecord | undefined>;
  /** The file of that record; undefined where there is none. */
  locate(cell: PlannedCell): Promise<string | undefined>;
  keep(cell: PlannedCell, record: Omit<CellRecord, "schemaVersion" | "id">): Promise<void>;
}

/**
 * Opens a folder of records, made when the first is kept: `<cell>-<id>.json` each. The id alone finds a record, so that one that was kept
 * under another name of its defense or attack is found too; it then has the names that the study gives now.
 */
export function openCellRecords(dir: string): CellRecords {
  const fileOf = (cell: PlannedCell) => join(dir, `${cellName(cell)}-${cell.evaluation.id}.json`);
  return {
    async find(cell) {
      const file = (await kept(dir, cell.evaluation.id)) ?? fileOf(cell);
      const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw new UserError(`${file}: cannot be read (${error.code})`);
      });
      return text === undefined ? undefined : renamed(parseRecord(file, text, cell.evaluation.id), cell);
    },
    locate: (cell) => kept(dir, cell.evaluation.id),
    async keep(cell, record) {
      await mkdir(dir, { recursive: true });
      const whole: CellRecord = { schemaVersion: 1, id: cell.evaluation.id, ...record };
      await writeFileAtomic(fileOf(cell), `${JSON.stringify(whole, undefined, 1)}\n`);
    },
  };
}

/** The file of the record with that id. */
async function kept(dir: string, id: string): Promise<string | undefined> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new UserError(`${dir}: cannot be read (${error.code})`);
  });
  const name = names.find((one) => one.endsWith(`-${id}.json`));
  return name === undefined ? undefined : join(dir, name);
}

/** A record with the names that a study gives its cell now. */
function renamed(record: CellRecord, cell: PlannedCell): CellRecord {
  const { defenseLabel: _, attackLabel: __, ...result } = record.result;
  return { ...record, result: { ...result, ...labelsOf(cell), run: cellFolder(cell) } };
}

function parseRecord(file: string, text: string, id: string): CellRecord {
  let record: Partial<CellRecord>;
  try {
    record = JSON.parse(text);
  } catch {
    throw new UserError(`${file}: not JSON; remove it, and the cell is computed`);
  }
  if (record?.schemaVersion !== 1 || record.id !== id || record.result?.schemaVersion !== 1)
    throw new UserError(`${file}: not the record of this cell; remove it, and the cell is computed`);
  return record as CellRecord;
}
