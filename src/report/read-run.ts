import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { UserError } from "../engine/errors.ts";
import type { CellResult, FailedCell, StudyResult } from "../study/result.ts";
import { CONFIG_FILE, RESULT_FILE } from "../study/run-folder.ts";
import { findRunRecord } from "../study/run-record.ts";
import { readStudyResult } from "./study-result.ts";

/** A finished run as it is read back: a study with all its cells, or one cell. */
export interface FinishedRun {
  readonly kind: "study" | "cell";
  readonly dir: string;
  readonly name: string;
  readonly cells: readonly CellResult[];
  readonly failed: readonly FailedCell[];
  /** The study's cells, this one among them; of a cell whose study is not at hand, itself alone. */
  readonly around: readonly CellResult[];
  /** The study; absent for a cell whose study is not at hand. */
  readonly study?: StudyResult;
  /** The resolved study file, as a plain value. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Reads a study's folder or a cell's run folder.
 * @throws UserError where it is neither, where its run has not been completed, or where a file cannot be read.
 */
export async function readRun(dir: string): Promise<FinishedRun> {
  if ((await stat(dir).catch(() => undefined)) === undefined)
    throw new UserError(`${dir}: no such folder; expected the folder of a study or a cell`);
  const record = await findRunRecord(dir);
  if (record !== undefined && record.status !== "COMPLETED")
    throw new UserError(`${dir}: the run is ${record.status}; finish it with \`tldmi run\` first`);
  if (record?.kind === "cell") {
    const cell = await readCell(join(dir, RESULT_FILE));
    const study = await readStudyResult(resolve(dir, record.study ?? ".")).catch(() => undefined);
    const config = plain(await text(join(dir, CONFIG_FILE)));
    const siblings = (study?.cells ?? []).filter(({ run }) => run !== cell.run);
    const found = { kind: "cell", dir, name: record.name, cells: [cell], failed: [], config } as const;
    return { ...found, around: [cell, ...siblings], ...(study && { study }) };
  }
  if (record === undefined && (await stat(join(dir, "study.json")).catch(() => undefined)) === undefined)
    throw new UserError(`${dir}: no run of a study or a cell in it; expected a folder that \`tldmi run\` made`);
  const study = await readStudyResult(dir);
  const { name, cells, failed, config } = study;
  return { kind: "study", dir, name, cells, failed, around: cells, study, config: plain(config) };
}

async function readCell(file: string): Promise<CellResult> {
  let result: CellResult;
  try {
    result = JSON.parse(await text(file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  const version: unknown = typeof result === "object" && result !== null ? result.schemaVersion : undefined;
  if (version !== 1)
    throw new UserError(`${file}: expected a cell's result of schemaVersion 1, got ${String(version)}`);
  return result;
}

async function text(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new UserError(`${file}: cannot be read (${error instanceof Error ? error.message : String(error)})`);
  });
}

function plain(yaml: string): Readonly<Record<string, unknown>> {
  const value: unknown = parse(yaml);
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
