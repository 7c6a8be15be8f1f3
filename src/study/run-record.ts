import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";

/** How a run stands. A RUNNING one whose heartbeat is minutes old was killed. */
export const RunStatus = z.enum(["QUEUED", "RUNNING", "COMPLETED", "FAILED", "INTERRUPTED"]);
export type RunStatus = z.output<typeof RunStatus>;

/** Name of the record in a run's folder. */
export const RUN_RECORD = "run.json";

const Facts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** The record of a run, `run.json`. Times are ISO 8601. */
export const RunRecord = z.object({
  schemaVersion: z.literal(1),
  /** What the run is of: a whole study, or one cell of it. */
  kind: z.enum(["study", "cell"]),
  name: z.string(),
  status: RunStatus,
  started: z.string(),
  heartbeat: z.string(),
  ended: z.string().optional(),
  /** How often it was begun: more than once where it was resumed. */
  attempts: z.int().min(1),
  seed: z.number().optional(),
  /** Folder of the study that a cell belongs to, relative to the cell's. */
  study: z.string().optional(),
  /** Folders (in the store or shipped) of the steps that it rests on, by role: absolute, or relative to the run's. */
  steps: z.record(z.string(), z.string()).optional(),
  /** Why it failed. */
  error: z.string().optional(),
  versions: z.object({ package: z.string(), node: z.string(), onnxruntime: z.string() }),
  /** Machine, threads, commit. */
  machine: Facts,
});
export type RunRecord = z.output<typeof RunRecord>;

/**
 * Reads a run's record.
 * @throws UserError where the folder has none, or what it has is no run record of this version.
 */
export async function readRunRecord(dir: string): Promise<RunRecord> {
  const record = await findRunRecord(dir);
  if (record !== undefined) return record;
  throw new UserError(`${dir}: no run folder (no readable ${RUN_RECORD} of schema version 1 in it)`);
}

/** A run's record, or undefined where there is no readable one. */
export async function findRunRecord(dir: string): Promise<RunRecord | undefined> {
  try {
    return RunRecord.safeParse(JSON.parse(await readFile(join(dir, RUN_RECORD), "utf8"))).data;
  } catch {
    return undefined;
  }
}
