import { join } from "node:path";
import { type SurrogateSettings, trainSurrogates } from "../../attacks/surrogates.ts";
import type { StudyData } from "../../data/dataset.ts";
import { seedFor } from "../../engine/random.ts";
import type { Model } from "../../models/model.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/** What attacks want to be learnt of one target from the public images. Attacks that want the same share it. */
export function surrogatesStep(options: {
  readonly settings: SurrogateSettings;
  readonly data: StudyData;
  readonly model: Model;
  readonly label: string;
  readonly seed: number;
  readonly target: PlannedStep;
}): PlannedStep {
  const { settings, data, model, label, seed, target } = options;
  // The mean of features is taken whatever its weight.
  const { students } = settings;
  const config = asJson({ ...(students && { students }), seed });
  const spec = { kind: "surrogates", version: 1, config, data: { public: data.public.hash } };
  const name = students === undefined ? `public features of ${label}` : `students of ${label}`;
  return planStep(`${name}, seed ${seed}`, spec, { target }, async (context, dir) => {
    const state = await trainSurrogates({
      settings,
      model,
      state: await readState(join(dir(target), WEIGHTS)),
      images: data.public,
      seed: seedFor(seed, "surrogates"),
      work: context,
    });
    await writeState(join(context.dir, WEIGHTS), state);
  });
}
