import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { versions } from "../study/provenance.ts";
import type { ReadStudy } from "../study/read-study.ts";
import { studyFolder } from "../study/study-folder.ts";
import { StudySchema } from "../study/study-schema.ts";

/** Folder of grids among the runs. */
const GRIDS = "grids";
const STORE_ID = "store-id";

/** A study whose steps workers may compute, as `grids/<name>.json` holds it. While the file is there, the grid goes on. */
const GridFile = z.object({
  schemaVersion: z.literal(1),
  /** Version of the package that planned it: another one may plan other steps. */
  version: z.string(),
  /** Where the study's relative paths start. */
  folder: z.string(),
  yaml: z.string(),
  study: z.unknown(),
});

/** A grid as a worker reads it. */
export interface Grid {
  readonly version: string;
  readonly read: ReadStudy;
  /** The file's text: the same text is the same grid. */
  readonly text: string;
}

/** The name of a study's grid: that of its folder. */
export function gridName(runsDir: string, { study }: ReadStudy): string {
  return basename(studyFolder(runsDir, study));
}

/** Path of a grid's file. */
export function gridPath(runsDir: string, name: string): string {
  return join(runsDir, GRIDS, `${name}.json`);
}

/** Lets workers see a study. */
export async function publishGrid(runsDir: string, name: string, { study, yaml, folder }: ReadStudy): Promise<void> {
  const file: z.input<typeof GridFile> = { schemaVersion: 1, version: versions().package, folder, yaml, study };
  await writeFileAtomic(gridPath(runsDir, name), `${JSON.stringify(file, undefined, 2)}\n`);
}

/** Reads a grid; undefined where it has ended or was cancelled. @throws UserError for a file that cannot be understood. */
export async function readGrid(runsDir: string, name: string): Promise<Grid | undefined> {
  const path = gridPath(runsDir, name);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { version, folder, yaml, study } = GridFile.parse(JSON.parse(text));
    return { version, read: { study: StudySchema.parse(study), yaml, folder }, text };
  } catch {
    throw new UserError(`${path}: no grid of schemaVersion 1 that version ${versions().package} understands`);
  }
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
