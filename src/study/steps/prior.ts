import { join } from "node:path";
import type { StudyData } from "../../data/dataset.ts";
import { softmax } from "../../engine/ops/activation.ts";
import { seedFor } from "../../engine/random.ts";
import type { StateDict } from "../../engine/store.ts";
import { fixed } from "../../models/bind.ts";
import { logitsLayer, type Model } from "../../models/model.ts";
import { predictor, predictSet } from "../../models/predict.ts";
import type { AttackedTarget, PriorFamily } from "../../priors/prior.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/** A prior to be trained, with its resolved settings. */
export interface PlannedPrior {
  readonly family: PriorFamily;
  readonly settings: Record<string, unknown>;
  /** The public prior that training starts from. */
  readonly start?: PlannedStep;
}

/** A public prior, on the attacker's images alone: all cells share it, so it depends on the data's seed and not on a cell's. */
export function publicPriorStep({ family, settings, start }: PlannedPrior, data: StudyData, seed: number): PlannedStep {
  const { channels, height, width } = data.public;
  const spec = {
    kind: family.training,
    version: 1,
    config: asJson({ kind: family.kind, ...settings, seed }),
    data: { public: data.public.hash },
  };
  return planStep(`public prior ${family.kind}`, spec, { ...(start && { start }) }, async (context, dir) => {
    const state = await family.train({
      settings,
      shape: { image: [channels, height, width], classes: 0 },
      images: data.public,
      target: undefined,
      ...(start && { start: await readState(join(dir(start), WEIGHTS)) }),
      seed: seedFor(seed, family.training),
      work: context,
    });
    await writeState(join(context.dir, WEIGHTS), state, "float16");
  });
}

/** A prior that is trained against one target. */
export function inversionPriorStep(
  { family, settings, start }: PlannedPrior,
  options: {
    readonly data: StudyData;
    readonly model: Model;
    readonly label: string;
    readonly seed: number;
    readonly target: PlannedStep;
  },
): PlannedStep {
  const { data, model, label, seed, target } = options;
  const spec = {
    kind: family.training,
    version: 1,
    config: asJson({ ...settings, seed }),
    data: { public: data.public.hash },
  };
  const needs = { target, ...(start && { start }) };
  return planStep(`inversion GAN ${family.kind} against ${label}, seed ${seed}`, spec, needs, async (context, dir) => {
    const state = await family.train({
      settings,
      shape: { image: model.input, classes: model.classes },
      images: data.public,
      target: attackedTarget(model, await readState(join(dir(target), WEIGHTS))),
      ...(start && { start: await readState(join(dir(start), WEIGHTS)) }),
      seed: seedFor(seed, family.training),
      work: context,
    });
    await writeState(join(context.dir, WEIGHTS), state);
  });
}

function attackedTarget(model: Model, state: StateDict): AttackedTarget {
  const net = fixed(state);
  const logits: AttackedTarget["logits"] = (images) => net.apply(logitsLayer(model), images);
  return {
    logits,
    async scores(images) {
      const judge = await predictor(model.input, 64, (x) => ({ scores: softmax(logits(x)) }));
      const { scores } = await predictSet(judge, images);
      await judge.release();
      return scores;
    },
  };
}
