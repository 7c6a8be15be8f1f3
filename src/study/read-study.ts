import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { stringify } from "yaml";
import type { StudyData } from "../data/dataset.ts";
import { removeLeftBehind } from "../data/left-behind.ts";
import { UserError } from "../engine/errors.ts";
import { readWeightFile, type WeightFile } from "../engine/weight-file.ts";
import { type Choice, chosenData } from "./choose.ts";
import type { EventSink } from "./events.ts";
import { Interrupted } from "./interrupted.ts";
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
  const read = pinModelFiles(await readYamlConfig(StudySchema, file), folder);
  const study: Study = {
    ...read,
    priors: await Promise.all(read.priors.map((prior) => withCheckpoint(prior, folder))),
  };
  return { study, yaml: stringify(study), folder };
}

/** A prior's checkpoint with its whole path and its digest: what decides whether the prior has been read before. */
async function withCheckpoint(prior: Study["priors"][number], folder: string): Promise<Study["priors"][number]> {
  if (prior.kind !== "stylegan" || prior.checkpoint === undefined) return prior;
  const path = resolve(folder, prior.checkpoint.file);
  const digest = createHash("sha256");
  try {
    for await (const part of createReadStream(path)) digest.update(part as Uint8Array);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`priors: stylegan: checkpoint.file: ${path} cannot be read (${code})`);
  }
  const sha256 = digest.digest("hex");
  if (prior.checkpoint.sha256 !== undefined && prior.checkpoint.sha256 !== sha256)
    throw new UserError(`priors: stylegan: checkpoint.sha256: ${path} has ${sha256}, not ${prior.checkpoint.sha256}`);
  return { ...prior, checkpoint: { ...prior.checkpoint, file: path, sha256 } };
}

const PATH_KEYS = ["private", "public", "pretraining", "evaluation", "root", "file", "train", "test"];

/**
 * The keys of a study whose paths start at its file: `data.private`. A copy of the file in another folder, such as a run's own, means
 * other files by them.
 */
export function relativePaths({ data, pretraining, evaluation }: Study): readonly string[] {
  const within = (keys: object, name: string): string[] =>
    Object.entries(keys).flatMap(([key, value]: [string, unknown]) => {
      if (key === "lists" && typeof value === "object" && value !== null) return within(value, `${name}.${key}`);
      return PATH_KEYS.includes(key) && typeof value === "string" && !isAbsolute(value) ? [`${name}.${key}`] : [];
    });
  const weights = { pretraining: pretraining.weights, evaluation: evaluation.weights };
  return [
    ...within(data, "data"),
    ...Object.entries(weights).flatMap(([key, path]) =>
      path === undefined || isAbsolute(path) ? [] : [`${key}.weights`],
    ),
  ];
}

/** Files of weights that a study names; absent where it trains them itself. */
export interface StudyWeights {
  readonly start?: WeightFile;
  readonly target?: WeightFile;
  readonly evaluation?: WeightFile;
}

/** Opens the weight files that the study names. @throws UserError for a file that cannot be read. */
export async function loadWeights({ study, folder }: ReadStudy): Promise<StudyWeights> {
  const open = (path: string | undefined) => (path === undefined ? undefined : readWeightFile(resolve(folder, path)));
  const start = await open(study.pretraining.weights);
  const target = await open(study.target?.weights);
  const evaluation = await open(study.evaluation.weights);
  return { ...(start && { start }), ...(target && { target }), ...(evaluation && { evaluation }) };
}

/**
 * Loads the study's data. Image sets that are drawn or decoded once are kept under `cacheDir`; what killed processes left half-written
 * there is removed.
 * @throws UserError for data that cannot be read; Interrupted when the signal is aborted.
 */
export async function loadData(
  { study, folder }: ReadStudy,
  cacheDir: string,
  events: EventSink,
  signal?: AbortSignal,
): Promise<StudyData> {
  const { member, config } = chosenData(study.data as Choice);
  // A path in a study file starts at that file, wherever the command is run.
  const resolved = (keys: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(keys).map(([key, value]: [string, unknown]) => {
        if (PATH_KEYS.includes(key) && typeof value === "string") return [key, resolve(folder, value)];
        return [key, key === "lists" && typeof value === "object" && value !== null ? resolved(value) : value];
      }),
    );
  await removeLeftBehind(cacheDir);
  try {
    return await member.load(resolved(config), {
      cacheDir,
      seed: study.dataSeed,
      ...(signal && { signal }),
      progress: (done, total, what) =>
        events({ type: "step-progress", step: `data: ${what}`, id: `data-${what}`, done, total, unit: "images" }),
    });
  } catch (error) {
    throw signal?.aborted ? new Interrupted() : error;
  }
}
