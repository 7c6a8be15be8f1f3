import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { newestHead } from "../../study/checkpoint.ts";
import { FileRecord, hashFolder } from "../../study/manifest.ts";
import { CHECKPOINTS, RESUMED_FROM } from "../../study/unfinished-step.ts";
import type { Bucket } from "./bucket.ts";
import { type Parcel, recordKey } from "./parcel.ts";

/** The record of what an unfinished step goes on from, as it was at a checkpoint. */
const ProgressRecord = z.object({
  schemaVersion: z.literal(1),
  /** Wall time that the step had taken by then, over all its sessions. */
  seconds: z.number(),
  files: z.array(FileRecord),
});

/** Where the progress of a step is kept, beside the finished ones. */
export function progressKey(folder: string): string {
  return `progress/${folder}`;
}

/**
 * What an unfinished step goes on from, to be put; undefined where it has no checkpoint. Nobody may be writing to that meanwhile. The rest of
 * its folder stays on this machine.
 */
export async function progressParcel(dir: string): Promise<Parcel | undefined> {
  const seconds = await secondsIn(dir);
  if (seconds === undefined) return undefined;
  const others = (await readdir(dir)).filter((name) => !RESUMED_FROM.includes(name));
  const files = (await hashFolder(dir, others)).filter(
    // What came since, and what a checkpoint is written as.
    ({ path }) => RESUMED_FROM.includes(path.split("/")[0]!) && !path.endsWith(".tmp"),
  );
  const record: z.input<typeof ProgressRecord> = { schemaVersion: 1, seconds, files };
  return { dir, files, record: Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`) };
}

/** A step's progress in the bucket, if it is further than what lies in `dir`. A record that cannot be read counts as none. */
export async function furtherProgress(
  bucket: Bucket,
  folder: string,
  dir: string,
): Promise<Omit<Parcel, "dir"> | undefined> {
  const record = await bucket.get(recordKey(progressKey(folder)));
  if (record === undefined) return undefined;
  const parsed = parse(record);
  if (parsed === undefined || parsed.seconds <= ((await secondsIn(dir)) ?? 0)) return undefined;
  return { files: parsed.files, record };
}

async function secondsIn(dir: string): Promise<number | undefined> {
  const names = await readdir(join(dir, CHECKPOINTS)).catch(() => []);
  if (names.length === 0) return undefined;
  // What cannot be read is begun anew, and then any other progress is further.
  return (await newestHead(join(dir, CHECKPOINTS)).catch(() => undefined))?.seconds;
}

function parse(record: Uint8Array): z.output<typeof ProgressRecord> | undefined {
  try {
    return ProgressRecord.safeParse(JSON.parse(Buffer.from(record).toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
