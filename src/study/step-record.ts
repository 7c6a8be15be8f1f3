import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { contentId, type JsonValue } from "./canonical.ts";
import { FileRecord, manifestFaults } from "./manifest.ts";

/** What determines a step's outputs, and so its id. */
export interface StepSpec {
  /** What sort of step: `target`, `prior`. Letters, digits and hyphens: it begins the folder's name. */
  readonly kind: string;
  /** Counted up whenever the step's code gives other outputs for the same config. */
  readonly version: number;
  readonly config: JsonValue;
  /** By role: the ids of steps and the hashes of data that it depends on. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** The id of a step: 16 hexadecimal digits over everything that determines its outputs. */
export function stepId({ kind, version, config, inputs }: StepSpec): string {
  return contentId({ kind, version, config, inputs });
}

/** The name of a step's folder in a store. */
export function stepFolder(spec: StepSpec): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(spec.kind)) throw new Error(`step kind "${spec.kind}" cannot begin a folder's name`);
  return `${spec.kind}-${stepId(spec)}`;
}

/** Name of the record in a finished step's folder; it is written last. */
export const STEP_RECORD = "step.json";

/** What the name of an unfinished step's folder ends in. */
export const UNFINISHED = ".part";

/** The record of a finished step. */
export const StepRecord = z.object({
  schemaVersion: z.literal(1),
  id: z.string(),
  name: z.string(),
  spec: z.object({ kind: z.string(), version: z.number(), config: z.json(), inputs: z.record(z.string(), z.string()) }),
  versions: z.object({ package: z.string(), node: z.string(), onnxruntime: z.string() }),
  /** When it was finished, ISO 8601. */
  finished: z.string(),
  /** Wall time over all its sessions, in seconds. */
  seconds: z.number(),
  /** The most memory that the process held meanwhile, in bytes, in its last session. */
  peakMemory: z.number().optional(),
  files: z.array(FileRecord),
});
export type StepRecord = z.output<typeof StepRecord>;

/** A step's folder as found: its record where it is whole, else what is wrong with it. */
export type FoundStep = { readonly record: StepRecord } | { readonly faults: readonly string[] };

/**
 * Reads a finished step's folder and checks it against its own manifest: sizes, or contents too where `hashes` is set.
 * Undefined where there is no such folder.
 */
export async function findStep(dir: string, hashes = false): Promise<FoundStep | undefined> {
  const present = await stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!present) return undefined;
  const record = await readRecord(join(dir, STEP_RECORD));
  if (record === undefined) return { faults: [`${STEP_RECORD} is missing or not whole`] };
  if (stepId(record.spec) !== record.id || basename(dir, UNFINISHED) !== stepFolder(record.spec)) {
    return { faults: [`${STEP_RECORD} belongs to another step`] };
  }
  const faults = await manifestFaults(dir, record.files, hashes);
  return faults.length > 0 ? { faults } : { record };
}

/** The time that a finished step took, in seconds; undefined where its folder isn't there whole. */
export async function secondsOfStep(dir: string): Promise<number | undefined> {
  const found = await findStep(dir);
  return found !== undefined && "record" in found ? found.record.seconds : undefined;
}

async function readRecord(path: string): Promise<StepRecord | undefined> {
  try {
    return StepRecord.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
