import { join } from "node:path";
import { whiteBox } from "../../attacks/access.ts";
import type { Attack } from "../../attacks/attack.ts";
import { randomLatents, selectInitial } from "../../attacks/selection.ts";
import type { ImageSet, StudyData } from "../../data/dataset.ts";
import { writeNpy } from "../../data/npy.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { softmax } from "../../engine/ops/activation.ts";
import { seedFor } from "../../engine/random.ts";
import type { StateDict } from "../../engine/store.ts";
import type { Model } from "../../models/model.ts";
import { predictor, predictSet } from "../../models/predict.ts";
import { kedmi, kedmiNetworks } from "../../priors/kedmi.ts";
import type { Prior, PriorNetworks } from "../../priors/prior.ts";
import { trainKedmi } from "../../priors/train-kedmi.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import type { Study } from "../study-schema.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/** KEDMI's GAN, trained against one target. It starts from the public prior where that is given. */
export function inversionPriorStep(options: {
  readonly data: StudyData;
  readonly model: Model;
  readonly config: Record<string, unknown>;
  readonly label: string;
  readonly seed: number;
  readonly target: PlannedStep;
  readonly publicPrior: PlannedStep | undefined;
}): PlannedStep {
  const { data, model, config, label, seed, target, publicPrior } = options;
  const settings = kedmi.config.parse(config);
  const spec = {
    kind: "inversion-prior",
    version: 1,
    config: asJson({ ...settings, seed }),
    data: { public: data.public.hash },
  };
  const needs = { target, ...(publicPrior && { start: publicPrior }) };
  return planStep(`inversion GAN against ${label}, seed ${seed}`, spec, needs, async (context, dir) => {
    const softLabels = await probabilities(model, await readState(join(dir(target), WEIGHTS)), data.public);
    const state = await trainKedmi({
      networks: kedmiNetworks(settings, model.input, model.classes),
      images: data.public,
      softLabels,
      classes: model.classes,
      settings,
      ...(publicPrior && { start: await readState(join(dir(publicPrior), WEIGHTS)) }),
      seed: seedFor(seed, "inversion-prior"),
      work: context,
    });
    await writeState(join(context.dir, WEIGHTS), state);
  });
}

/** The target's softmax for every image of a set. */
async function probabilities(model: Model, state: StateDict, images: ImageSet): Promise<Float32Array> {
  const target = whiteBox(model, state);
  const net = await predictor(model.input, 64, (x) => ({ scores: softmax(target.logits(x)) }));
  const { scores } = await predictSet(net, images);
  await net.release();
  return scores;
}

/** Files of an attack step: latents of the reconstructions and of the two floors, row by row; rows stand for `labels` of attack.json. */
export const LATENTS = {
  reconstructions: "latents.npy",
  randomPrior: "random.npy",
  initialSelection: "selection.npy",
} as const;
export const ATTACK_RECORD = "attack.json";

/** One attack on one target, and its two floors: random samples of the prior, and the best of a pool without optimisation. */
export function attackStep(options: {
  readonly study: Study;
  readonly attack: Attack;
  readonly config: Record<string, unknown>;
  readonly networks: PriorNetworks;
  readonly model: Model;
  readonly label: string;
  readonly seed: number;
  readonly target: PlannedStep;
  readonly prior: PlannedStep;
}): PlannedStep {
  const { study, attack, config, networks, model, label, seed, target, prior } = options;
  const { perIdentity, identities: wanted = model.classes, pool } = study.reconstructions;
  const identities = Array.from({ length: Math.min(wanted, model.classes) }, (_, i) => i);
  const spec = {
    kind: "attack",
    version: 1,
    config: asJson({ kind: attack.kind, ...config, perIdentity, identities: identities.length, pool, seed }),
  };
  return planStep(`${attack.kind} on ${label}, seed ${seed}`, spec, { target, prior }, async (context, dir) => {
    const access = whiteBox(model, await readState(join(dir(target), WEIGHTS)));
    const given: Prior = { kind: attack.prior, networks, state: await readState(join(dir(prior), WEIGHTS)) };
    const attackSeed = seedFor(seed, "attack");
    const common = { target: access, prior: given, identities, perIdentity };
    const found = await attack.run({ ...common, config, seed: attackSeed, work: context });
    const selected = await selectInitial({ ...common, pool, seed: seedFor(seed, "floor") });
    const rows = found.labels.length;
    const shape = [rows, networks.latent];
    await writeNpy(join(context.dir, LATENTS.reconstructions), found.latents, shape);
    await writeNpy(join(context.dir, LATENTS.randomPrior), randomLatents(given, rows, seed, "floor"), shape);
    await writeNpy(join(context.dir, LATENTS.initialSelection), selected.latents, shape);
    const record = { schemaVersion: 1, attack: attack.kind, latent: networks.latent, labels: [...found.labels] };
    await writeFileAtomic(join(context.dir, ATTACK_RECORD), `${JSON.stringify(record)}\n`);
  });
}
