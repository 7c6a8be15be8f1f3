import { dirname, resolve } from "node:path";
import { stringify } from "yaml";
import type { StudyData } from "../data/dataset.ts";
import { type Choice, chosenData } from "./choose.ts";
import type { EventSink } from "./events.ts";
import { pinModelFiles } from "./model-files.ts";
import { type Study, StudySchema } from "./study-schema.ts";
import { readYamlConfig } from "./yaml-config.ts";

/** A study file, read and resolved. */
export interface ReadStudy {
  readonly study: Study;
  /** Everything resolved, defaults included, as YAML. */
  readonly yaml: string;
  /** Folder of the file: relative paths in it start here. */
  readonly folder: string;
}

/** Reads and validates a study file. @throws UserError with file, line and column for each mistake. */
export async function readStudy(file: string): Promise<ReadStudy> {
  const folder = dirname(resolve(file));
  const study = pinModelFiles(await readYamlConfig(StudySchema, file), folder);
  return { study, yaml: stringify(study), folder };
}

const PATH_KEYS = ["private", "public", "pretraining", "evaluation"];

/** Loads the study's data. Image sets that are drawn or decoded once are kept under `cacheDir`. */
export async function loadData({ study, folder }: ReadStudy, cacheDir: string, events: EventSink): Promise<StudyData> {
  const { member, config } = chosenData(study.data as Choice);
  // A path in a study file starts at that file, wherever the command is run.
  const resolved = Object.entries(config).map(([key, value]) =>
    PATH_KEYS.includes(key) && typeof value === "string" ? [key, resolve(folder, value)] : [key, value],
  );
  return member.load(Object.fromEntries(resolved), {
    cacheDir,
    seed: study.dataSeed,
    progress: (done, total, what) =>
      events({ type: "step-progress", step: `data: ${what}`, id: `data-${what}`, done, total, unit: "images" }),
  });
}
