import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { FileRecord, hashFolder } from "./manifest.ts";
import { MANIFEST, UNLISTED } from "./run-folder.ts";
import { findRunRecord } from "./run-record.ts";

/** How a run's folder differs from what it held when the run ended; paths are relative to it, with `/` between names. */
export interface Verification {
  /** Files that the manifest lists. */
  readonly files: number;
  readonly changed: readonly string[];
  readonly missing: readonly string[];
  /** Files that came later, such as an exported model. */
  readonly extra: readonly string[];
}

const Manifest = z.object({ schemaVersion: z.literal(1), files: z.array(FileRecord) });

/**
 * Compares the folder of a study or a cell with its manifest, contents included. It tells of accidents: who changes a file on purpose can
 * write a manifest to go with it.
 * @throws UserError where there is no readable manifest.
 */
export async function verifyRun(dir: string): Promise<Verification> {
  const { files } = await readManifest(dir);
  const now = new Map((await hashFolder(dir, UNLISTED)).map(({ path, sha256 }) => [path, sha256]));
  const listed = new Set(files.map(({ path }) => path));
  const found = files.map(({ path, sha256 }) => ({ path, before: sha256, now: now.get(path) }));
  return {
    files: files.length,
    changed: found.flatMap((file) => (file.now !== undefined && file.now !== file.before ? [file.path] : [])),
    missing: found.flatMap((file) => (file.now === undefined ? [file.path] : [])),
    extra: [...now.keys()].filter((path) => !listed.has(path)),
  };
}

async function readManifest(dir: string): Promise<z.output<typeof Manifest>> {
  const path = join(dir, MANIFEST);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) {
    const record = await findRunRecord(dir);
    if (record === undefined) throw new UserError(`${dir}: no run in it; expected the folder of a study or a cell`);
    throw new UserError(`${path}: cannot be read; the run is ${record.status}, and a manifest is written when it ends`);
  }
  try {
    return Manifest.parse(JSON.parse(text));
  } catch {
    throw new UserError(`${path}: no manifest of schemaVersion 1`);
  }
}
