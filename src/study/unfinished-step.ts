import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { newestHead, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type MetricsLog, openMetricsLog } from "./metrics-log.ts";

/** Folder of checkpoints in an unfinished step's folder. */
export const CHECKPOINTS = "checkpoint";
const METRICS = "metrics.jsonl";
/**
 * What a step goes on from, by names in its unfinished folder. Whatever else lies there is made again: outputs, pictures, and features that
 * stand for images and may be as large as these.
 */
export const RESUMED_FROM: readonly string[] = [CHECKPOINTS, METRICS];

/** An unfinished step's folder, opened to be worked in. */
export interface UnfinishedStep {
  readonly dir: string;
  /** Whether it goes on from a checkpoint. */
  readonly resumed: boolean;
  /** Wall time over all sessions so far, in seconds. */
  seconds(): number;
  readonly metrics: MetricsLog;
  saveCheckpoint(name: string, bytes: Uint8Array): Promise<void>;
  loadCheckpoint(name: string): Promise<Uint8Array | undefined>;
}

/**
 * Opens the folder, made where it is missing. With checkpoints in it, metrics rows logged after the newest of them are cut off,
 * so that they do not come twice; without any, what an earlier attempt left is removed, since the body begins anew.
 * @param onDamage told why, where checkpoints cannot be used and the step begins anew
 */
export async function openUnfinished(dir: string, onDamage: (why: string) => void): Promise<UnfinishedStep> {
  const checkpoints = join(dir, CHECKPOINTS);
  await mkdir(checkpoints, { recursive: true });
  await removeTemporaries(dir);
  const kept = await resume(dir).catch((error: unknown) => {
    onDamage(error instanceof Error ? error.message : String(error));
    return undefined;
  });
  if (kept === undefined) {
    await rm(dir, { recursive: true, force: true });
    await mkdir(checkpoints, { recursive: true });
  }
  const metrics = kept?.metrics ?? (await openMetricsLog(join(dir, METRICS), 0));
  const before = kept?.seconds ?? 0;
  const since = performance.now();
  const seconds = () => before + (performance.now() - since) / 1000;
  return {
    dir,
    resumed: kept !== undefined,
    seconds,
    metrics,
    async saveCheckpoint(name, bytes) {
      await writeCheckpoint(checkpointPath(name), { metricsBytes: await metrics.flush(), seconds: seconds() }, bytes);
    },
    loadCheckpoint: (name) => readCheckpoint(checkpointPath(name)),
  };

  function checkpointPath(name: string): string {
    if (!/^\w[\w.-]*$/.test(name))
      throw new Error(`checkpoint name "${name}": expected letters, digits, dots and hyphens`);
    return join(checkpoints, name);
  }
}

async function resume(dir: string): Promise<{ metrics: MetricsLog; seconds: number } | undefined> {
  const head = await newestHead(join(dir, CHECKPOINTS));
  if (head === undefined) return undefined;
  return { metrics: await openMetricsLog(join(dir, METRICS), head.metricsBytes), seconds: head.seconds };
}

/** Removes what a killed process left half-written under temporary names. */
async function removeTemporaries(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && /^\..*\.tmp$/.test(entry.name)) await rm(join(entry.parentPath, entry.name));
  }
}
