import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";

/** Name of the description in a run's artifacts. */
const TARGET_FILE = "model.json";

const TargetDescription = z.object({
  schemaVersion: z.literal(1),
  /** The architecture and its keys, as a study file has them. */
  model: z.looseObject({ kind: z.string() }),
  /** [channels, height, width]; values in [0, 1], no further normalisation. */
  input: z.tuple([z.int(), z.int(), z.int()]),
  classes: z.array(z.string()),
  defense: z.string(),
  /** The defenses that may have reshaped the architecture, with their keys. */
  changes: z.array(z.looseObject({ kind: z.string() })).default([]),
  boundary: z.string().nullable(),
  /** Kind of the data that it was trained on. */
  data: z.string().optional(),
});

/** What a run's target is: enough to build it again and to tell others how to use it. */
export type TargetDescription = z.output<typeof TargetDescription>;

/** Writes the description beside the weights. */
export function writeTargetDescription(artifacts: string, description: TargetDescription): Promise<void> {
  return writeFileAtomic(join(artifacts, TARGET_FILE), `${JSON.stringify(description, undefined, 2)}\n`);
}

/** @throws UserError where the run has no target (it is no cell, or it did not finish). */
export async function readTargetDescription(artifacts: string): Promise<TargetDescription> {
  const path = join(artifacts, TARGET_FILE);
  const text = await readFile(path, "utf8").catch(() => "{}");
  const parsed = TargetDescription.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new UserError(
    `${path}: no description of a target here; name the run folder of a finished cell, such as runs/NAME/cells/CELL`,
  );
}
