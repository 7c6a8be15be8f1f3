import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError } from "../engine/errors.ts";

/**
 * The folder of the study that a folder belongs to: itself, or the one that its cell's record names.
 * @throws UserError where it is neither.
 */
export async function studyFolderOf(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) throw new UserError(`${folder}: no such folder; expected the folder of a study or a cell`);
  const { findRunRecord } = await import("../study/run-record.ts");
  const record = await findRunRecord(folder);
  if (record?.kind === "cell" && record.study !== undefined) return resolve(folder, record.study);
  if (record?.kind === "study" || (await stat(join(folder, "study.json")).catch(() => undefined))) return folder;
  throw new UserError(`${folder}: no run of a study or a cell in it; expected a folder that \`tldmi run\` made`);
}
