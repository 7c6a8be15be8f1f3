import { join } from "node:path";
import { type ScoreMapSettings, trainScoreMap } from "../../attacks/score-map.ts";
import type { StudyData } from "../../data/dataset.ts";
import type { Defended } from "../../defenses/compose.ts";
import { seedFor } from "../../engine/random.ts";
import type { Model } from "../../models/model.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import { answersOf } from "./answers.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/** The public network of a study's score maps: the model with the weights that all targets start from. */
export interface PublicNetwork {
  readonly model: Model;
  readonly step: PlannedStep;
}

/** What attacks learn of one target's scores of the public images, as its owner gives them. Attacks that learn the same share it. */
export function scoreMapStep(options: {
  readonly settings: ScoreMapSettings;
  readonly data: StudyData;
  readonly defended: Defended;
  readonly label: string;
  readonly seed: number;
  readonly target: PlannedStep;
  readonly embedding: PublicNetwork;
}): PlannedStep {
  const { settings, data, defended, label, seed, target, embedding } = options;
  const { outputs } = defended;
  const spec = {
    kind: "score-map",
    version: 1,
    config: asJson({ ...settings, seed, outputs }),
    data: { public: data.public.hash, ...(outputs && { validation: data.private.validation.hash }) },
  };
  const needs = { target, embedding: embedding.step };
  return planStep(`score map of ${label}, seed ${seed}`, spec, needs, async (context, dir) => {
    const state = await readState(join(dir(target), WEIGHTS));
    const answers = outputs && (await answersOf(defended, state, data, seed));
    const learnt = await trainScoreMap({
      settings,
      model: defended.model,
      state,
      ...(answers && { answers }),
      embedding: { model: embedding.model, state: await readState(join(dir(embedding.step), WEIGHTS)) },
      images: data.public,
      seed: seedFor(seed, "score-map"),
      work: context,
    });
    await writeState(join(context.dir, WEIGHTS), learnt);
  });
}
