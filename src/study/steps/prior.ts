import { join } from "node:path";
import { z } from "zod";
import type { StudyData } from "../../data/dataset.ts";
import type { Defended } from "../../defenses/compose.ts";
import { softmax } from "../../engine/ops/activation.ts";
import { seedFor } from "../../engine/random.ts";
import type { StateDict } from "../../engine/store.ts";
import type { Work } from "../../engine/work.ts";
import { fixed } from "../../models/bind.ts";
import { logitsLayer, type Model } from "../../models/model.ts";
import { predictor, predictSet } from "../../models/predict.ts";
import type { AttackedTarget, LabellingTarget, Prior, PriorFamily, PriorNetworks } from "../../priors/prior.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import { learnFromLabels } from "./asked.ts";
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
    config: asJson({ kind: family.kind, ...withoutPath(settings), seed }),
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

const Digested = z.looseObject({ sha256: z.string() });

/** The settings as the step is named by them: a checkpoint whose digest is known counts by what it holds, wherever it lies. */
function withoutPath(settings: Record<string, unknown>): Record<string, unknown> {
  const { success, data } = Digested.safeParse(settings.checkpoint);
  return success ? { ...settings, checkpoint: { ...data, file: "" } } : settings;
}

/** A prior that is trained against one target. */
export function inversionPriorStep(
  { family, settings, start }: PlannedPrior,
  options: {
    readonly data: StudyData;
    readonly defended: Defended;
    readonly label: string;
    readonly seed: number;
    readonly target: PlannedStep;
  },
): PlannedStep {
  const { data, defended, label, seed, target } = options;
  const { model } = defended;
  const asks = family.perTarget === "labels";
  // Who has the weights passes by what their owner makes of the answers.
  const outputs = asks ? defended.outputs : undefined;
  const spec = {
    kind: family.training,
    version: 1,
    config: asJson({ ...settings, seed, outputs }),
    data: { public: data.public.hash, ...(outputs && { validation: data.private.validation.hash }) },
  };
  const needs = { target, ...(start && { start }) };
  return planStep(`inversion GAN ${family.kind} against ${label}, seed ${seed}`, spec, needs, async (context, dir) => {
    const weights = await readState(join(dir(target), WEIGHTS));
    const given = start && (await readState(join(dir(start), WEIGHTS)));
    const train = (attacked: AttackedTarget | LabellingTarget, work: Work) =>
      family.train({
        settings,
        shape: { image: model.input, classes: model.classes },
        images: data.public,
        target: attacked,
        ...(given && { start: given }),
        seed: seedFor(seed, family.training),
        work,
      });
    const state = asks
      ? await learnFromLabels({ defended, state: weights, data, seed }, context, train)
      : await train(attackedTarget(model, weights), context);
    await writeState(join(context.dir, WEIGHTS), state);
  });
}

function attackedTarget(model: Model, state: StateDict): AttackedTarget {
  const net = fixed(state);
  const logits: AttackedTarget["logits"] = (images) => net.apply(logitsLayer(model), images);
  const scorer: AttackedTarget["scorer"] = (batch) =>
    predictor(model.input, batch, (x) => ({ scores: softmax(logits(x)) }));
  return {
    logits,
    scorer,
    async scores(images) {
      const judge = await scorer(64);
      const { scores } = await predictSet(judge, images);
      await judge.release();
      return scores;
    },
  };
}

/** The prior that a step trained; undefined where an attack has none. */
export async function trainedPrior(
  step: PlannedStep | undefined,
  networks: PriorNetworks | undefined,
  dir: (need: PlannedStep) => string,
): Promise<Prior | undefined> {
  if (step === undefined || networks === undefined) return undefined;
  return { kind: step.spec.kind, networks, state: await readState(join(dir(step), WEIGHTS)) };
}
