import { join } from "node:path";
import type { ImageSet, StudyData } from "../../data/dataset.ts";
import { softmax } from "../../engine/ops/activation.ts";
import { seedFor } from "../../engine/random.ts";
import type { StateDict } from "../../engine/store.ts";
import { fixed } from "../../models/bind.ts";
import { logitsLayer, type Model } from "../../models/model.ts";
import { predictor, predictSet } from "../../models/predict.ts";
import { kedmi, kedmiNetworks } from "../../priors/kedmi.ts";
import { plg } from "../../priors/plg.ts";
import { trainKedmi } from "../../priors/train-kedmi.ts";
import { trainPlg } from "../../priors/train-plg.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/** A prior that is trained against one target. */
export interface InversionPrior {
  readonly data: StudyData;
  readonly model: Model;
  readonly config: Record<string, unknown>;
  readonly label: string;
  readonly seed: number;
  readonly target: PlannedStep;
  readonly publicPrior: PlannedStep;
}

/** The steps of such priors, by kind. */
export const inversionPriorSteps: Readonly<Record<string, (options: InversionPrior) => PlannedStep>> = {
  [kedmi.kind]: kedmiStep,
  [plg.kind]: plgStep,
};

/** KEDMI's GAN. It starts from the public prior unless it is told not to. */
function kedmiStep({ data, model, config, label, seed, target, publicPrior }: InversionPrior): PlannedStep {
  const settings = kedmi.config.parse(config);
  const spec = {
    kind: "inversion-prior",
    version: 1,
    config: asJson({ ...settings, seed }),
    data: { public: data.public.hash },
  };
  const needs = { target, ...(settings.resume && { start: publicPrior }) };
  return planStep(`inversion GAN against ${label}, seed ${seed}`, spec, needs, async (context, dir) => {
    const state = await trainKedmi({
      networks: kedmiNetworks(settings, model.input, model.classes),
      images: data.public,
      softLabels: await probabilities(model, await readState(join(dir(target), WEIGHTS)), data.public),
      classes: model.classes,
      settings,
      ...(settings.resume && { start: await readState(join(dir(publicPrior), WEIGHTS)) }),
      seed: seedFor(seed, "inversion-prior"),
      work: context,
    });
    await writeState(join(context.dir, WEIGHTS), state);
  });
}

/** PLG-MI's conditional GAN. */
function plgStep({ data, model, config, label, seed, target }: InversionPrior): PlannedStep {
  const settings = plg.config.parse(config);
  const spec = {
    kind: "conditional-prior",
    version: 1,
    config: asJson({ ...settings, seed }),
    data: { public: data.public.hash },
  };
  return planStep(`conditional GAN against ${label}, seed ${seed}`, spec, { target }, async (context, dir) => {
    const weights = await readState(join(dir(target), WEIGHTS));
    const attacked = fixed(weights);
    const state = await trainPlg({
      networks: plg.networks(settings, { image: model.input, classes: model.classes }),
      images: data.public,
      scores: await probabilities(model, weights, data.public),
      logits: (images) => attacked.apply(logitsLayer(model), images),
      classes: model.classes,
      settings,
      seed: seedFor(seed, "conditional-prior"),
      work: context,
    });
    await writeState(join(context.dir, WEIGHTS), state);
  });
}

/** The target's softmax for every image of a set. */
async function probabilities(model: Model, state: StateDict, images: ImageSet): Promise<Float32Array> {
  const target = fixed(state);
  const net = await predictor(model.input, 64, (x) => ({ scores: softmax(target.apply(logitsLayer(model), x)) }));
  const { scores } = await predictSet(net, images);
  await net.release();
  return scores;
}
