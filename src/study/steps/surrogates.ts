import { join } from "node:path";
import { type LabelSurrogateSettings, trainLabelSurrogates } from "../../attacks/label-surrogates.ts";
import { type SurrogateSettings, trainSurrogates } from "../../attacks/surrogates.ts";
import type { StudyData } from "../../data/dataset.ts";
import type { Defended } from "../../defenses/compose.ts";
import { seedFor } from "../../engine/random.ts";
import type { Model } from "../../models/model.ts";
import type { PriorNetworks } from "../../priors/prior.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import { learnFromLabels } from "./asked.ts";
import { type PlannedStep, planStep } from "./planned.ts";
import { trainedPrior } from "./prior.ts";

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

/** Networks that learn the labels which one target gives to images of the prior that was trained against it. */
export function labelSurrogatesStep(options: {
  readonly settings: LabelSurrogateSettings;
  readonly data: StudyData;
  readonly defended: Defended;
  readonly label: string;
  readonly seed: number;
  readonly target: PlannedStep;
  readonly prior: PlannedStep;
  readonly networks: PriorNetworks;
}): PlannedStep {
  const { settings, data, defended, label, seed, target, prior, networks } = options;
  const { model: shape, outputs } = defended;
  const spec = {
    kind: "label-surrogates",
    version: 1,
    config: asJson({ ...settings, seed, outputs }),
    ...((outputs || settings.publicImages) && {
      data: {
        ...(outputs && { validation: data.private.validation.hash }),
        ...(settings.publicImages && { public: data.public.hash }),
      },
    }),
  };
  return planStep(`surrogates of ${label}, seed ${seed}`, spec, { target, prior }, async (context, dir) => {
    const given = (await trainedPrior(prior, networks, dir))!;
    const state = await readState(join(dir(target), WEIGHTS));
    const learnt = await learnFromLabels({ defended, state, data, seed }, context, (asked, work) =>
      trainLabelSurrogates({
        settings,
        shape,
        target: asked,
        prior: given,
        images: data.public,
        seed: seedFor(seed, "label-surrogates"),
        work,
      }),
    );
    await writeState(join(context.dir, WEIGHTS), learnt);
  });
}
