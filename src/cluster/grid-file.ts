import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { versions } from "../study/provenance.ts";
import type { ReadStudy } from "../study/read-study.ts";
import { studyFolder } from "../study/study-folder.ts";
import { StudySchema } from "../study/study-schema.ts";
import { gridPath } from "./grid-folder.ts";

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
