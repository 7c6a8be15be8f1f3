import { basename } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { versions } from "../study/provenance.ts";
import type { ReadStudy } from "../study/read-study.ts";
import { studyFolder } from "../study/study-folder.ts";
import { StudySchema } from "../study/study-schema.ts";
import type { RunStore } from "./run-store.ts";

/** A study whose steps workers may compute, as the run store holds it under `grids/<name>.json`. While the file is there, the grid goes on. */
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
export async function publishGrid(store: RunStore, name: string, { study, yaml, folder }: ReadStudy): Promise<void> {
  const file: z.input<typeof GridFile> = { schemaVersion: 1, version: versions().package, folder, yaml, study };
  await store.writeGrid(name, `${JSON.stringify(file, undefined, 2)}\n`);
}

/** Reads a grid; undefined where it has ended or was cancelled. @throws UserError for a file that cannot be understood. */
export async function readGrid(store: RunStore, name: string): Promise<Grid | undefined> {
  const text = await store.readGrid(name);
  if (text === undefined) return undefined;
  try {
    const { version, folder, yaml, study } = GridFile.parse(JSON.parse(text));
    return { version, read: { study: StudySchema.parse(study), yaml, folder }, text };
  } catch {
    throw new UserError(
      `grid ${name} in ${store.shown}: no grid of schemaVersion 1 that version ${versions().package} understands`,
    );
  }
}
