import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { textIfThere } from "../engine/text-if-there.ts";
import { cellFolder, cellName } from "./cell.ts";
import { labelsOf, type PlannedCell } from "./plan/cells.ts";
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

/** A record, and the file that it lies in. */
export interface FoundRecord {
  readonly record: CellRecord;
  readonly file: string;
}

/** A folder of cells' records. */
export interface CellRecords {
  /** The record of that very cell, with every setting as it is planned; undefined where there is none. @throws UserError for a file that is no record. */
  find(cell: PlannedCell): Promise<FoundRecord | undefined>;
  /** What is found of each of several cells, in their order. @throws UserError for a file that is no record. */
  findAll(cells: readonly PlannedCell[]): Promise<{ readonly cell: PlannedCell; readonly found?: FoundRecord }[]>;
  /** Whether there is a file of that record. */
  has(cell: PlannedCell): Promise<boolean>;
  keep(cell: PlannedCell, record: Omit<CellRecord, "schemaVersion" | "id">): Promise<void>;
}

/**
 * Opens a folder of records, made when the first is kept: `<cell>-<id>.json` each. The id alone finds a record, so that one that was kept
 * under another name of its defense or attack is found too; it then has the names that the study gives now. The folder is listed once: of
 * what others keep meanwhile, only records under the names of this study's cells are found.
 */
export function openCellRecords(dir: string): CellRecords {
  const fileOf = (cell: PlannedCell) => join(dir, `${cellName(cell)}-${cell.evaluation.id}.json`);
  let listed: Promise<ReadonlyMap<string, string>> | undefined;
  const kept = async (cell: PlannedCell) => {
    listed ??= filesById(dir);
    return (await listed).get(cell.evaluation.id);
  };
  const find = async (cell: PlannedCell): Promise<FoundRecord | undefined> => {
    const file = (await kept(cell)) ?? fileOf(cell);
    const text = await textIfThere(file).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(`${file}: cannot be read (${error.code})`);
    });
    return text === undefined
      ? undefined
      : { file, record: renamed(parseRecord(file, text, cell.evaluation.id), cell) };
  };
  return {
    find,
    async findAll(cells) {
      const all: { cell: PlannedCell; found?: FoundRecord }[] = [];
      for (const cell of cells) {
        const found = await find(cell);
        all.push({ cell, ...(found && { found }) });
      }
      return all;
    },
    has: async (cell) => (await kept(cell)) !== undefined,
    async keep(cell, record) {
      await mkdir(dir, { recursive: true });
      const whole: CellRecord = { schemaVersion: 1, id: cell.evaluation.id, ...record };
      await writeFileAtomic(fileOf(cell), `${JSON.stringify(whole, undefined, 1)}\n`);
    },
  };
}

/** The files of records in a folder by their ids; none where there is no such folder. */
async function filesById(dir: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new UserError(`${dir}: cannot be read (${error.code})`);
  });
  const files = new Map<string, string>();
  for (const name of names) {
    const [, id] = /-([0-9a-f]+)\.json$/.exec(name) ?? [];
    if (id !== undefined && !files.has(id)) files.set(id, join(dir, name));
  }
  return files;
}

/** A record with the names that a study gives its cell now, and what records of earlier versions do not say: whether it starts from scratch. */
function renamed(record: CellRecord, cell: PlannedCell): CellRecord {
  const { defenseLabel: _, attackLabel: __, ...result } = record.result;
  const { start } = cell.target.defended.recipe;
  const from = start === "scratch" ? { start } : {};
  return { ...record, result: { ...result, ...from, ...labelsOf(cell), run: cellFolder(cell) } };
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
