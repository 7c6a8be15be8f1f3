import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../engine/errors.ts";

/** Folder of grids among the runs. */
const GRIDS = "grids";
const STORE_ID = "store-id";

/** Path of a grid's file. */
export function gridPath(runsDir: string, name: string): string {
  return join(runsDir, GRIDS, `${name}.json`);
}

/** Ends a grid: workers stop what they do for it, with a checkpoint, and drop what waits. */
export async function endGrid(runsDir: string, name: string): Promise<void> {
  await rm(gridPath(runsDir, name), { force: true });
}

/**
 * The name of the queue that belongs to a folder of runs: grid and workers meet only where they share the folder. The first to ask makes
 * it up.
 */
export async function queueName(runsDir: string): Promise<string> {
  const path = join(runsDir, GRIDS, STORE_ID);
  await mkdir(join(runsDir, GRIDS), { recursive: true });
  try {
    await writeFile(path, `${randomUUID().slice(0, 8)}\n`, { flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const id = (await readFile(path, "utf8")).trim();
  if (!/^[0-9a-f]{8}$/.test(id)) {
    throw new UserError(`${path}: expected eight hexadecimal digits; delete it while no grid and no worker runs`);
  }
  return `tldmi-${id}`;
}
