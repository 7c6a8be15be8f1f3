import { Augmentation } from "../data/augment.ts";
import type { ImageSet } from "../data/dataset.ts";
import { endless } from "../data/loader.ts";
import { input, type Value } from "../engine/graph.ts";
import { relu } from "../engine/ops/activation.ts";
import { add, mul, sub } from "../engine/ops/elementwise.ts";
import { maxMarginRows } from "../engine/ops/loss.ts";
import { concat, oneHot, sliceAxis } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import { type Rng, random, seedFor } from "../engine/random.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { checkFinite, runLoop, type Work } from "../engine/work.ts";
import { initialState } from "../models/bind.ts";
import { randomViews, type ViewRange } from "../models/random-views.ts";
import { bindNetworks, compilePlayer, player, playerState, playerUpdates } from "./adversaries.ts";
import type { PlgSettings } from "./plg.ts";
import { DISCRIMINATOR, GENERATOR, type PriorNetworks, weightsWithPrefix } from "./prior.ts";
import { pseudoLabelled } from "./pseudo-labels.ts";

/** What PLG-MI's GAN learns from. */
export interface PlgTraining {
  readonly networks: PriorNetworks;
  readonly images: ImageSet;
  /** The attacked target's softmax for each image of `images`, row by row: [images, classes]. */
  readonly scores: Float32Array;
  /** The attacked target: [N, C, H, W] to logits [N, classes]. */
  readonly logits: (images: Value) => Value;
  readonly classes: number;
  readonly settings: PlgSettings;
  readonly seed: number;
  readonly work: Work;
}

/** How the target sees fakes and candidates: the paper's random resized crop, colour jitter and flip (its rotation by ±5° is left out). */
export const PLG_VIEWS: ViewRange = { scale: [0.8, 1], ratio: [1, 1], flip: 0.5, jitter: 0.2 };

const BETAS = [0, 0.9] as const;

/** E max(0, 1 − D(x, y)) + E max(0, 1 + D(G(z, y), y)): the hinge loss (eq. 2). Scores are [N]. */
export function hingeLoss(real: Value, fake: Value): Value {
  return add(mean(relu(sub(1, real))), mean(relu(add(fake, 1))));
}

/** Trains PLG-MI's conditional GAN against a target and returns the weights of both networks under their prefixes. Every 25th step logs a row. */
export async function trainPlg(options: PlgTraining): Promise<StateDict> {
  const { networks, images, scores, logits, classes, settings, seed, work } = options;
  const { batch, latent, steps, critic: criticSteps, rate, top } = settings;
  const labelled = pseudoLabelled(images, scores, classes, top);
  const z = input("z", [batch, latent]);
  const wanted = oneHot(input("wanted", [batch], "int32"), classes);
  const real = input("real", [batch, ...networks.image]);
  const realClasses = oneHot(input("realClasses", [batch], "int32"), classes);

  const c = bindNetworks(networks, z, wanted);
  // Real and fake images go through the discriminator together: one step of power iteration serves both.
  const judged = c.discriminator.apply(
    networks.discriminator,
    concat([c.fake, real], 0),
    concat([wanted, realClasses], 0),
  );
  const half = (from: number) => sliceAxis(networks.naturalness(judged), 0, from * batch, (from + 1) * batch);
  const criticLoss = hingeLoss(half(1), half(0));
  const critic = player("critic", rate, criticLoss, c.discriminator, c.discriminator.updates, BETAS);

  const g = bindNetworks(networks, z, wanted);
  const natural = mean(networks.naturalness(g.discriminator.apply(networks.discriminator, g.fake, wanted)));
  const views = randomViews(g.fake, { ...PLG_VIEWS, flip: settings.flip });
  const inversion = mean(maxMarginRows(logits(views.images), wanted));
  const generatorLoss = sub(mul(inversion, settings.inversion), natural);
  const generator = player("generator", rate, generatorLoss, g.generator, g.generator.updates, BETAS);

  const store = createStore({
    ...weightsWithPrefix(GENERATOR, initialState(networks.generator.weights, seedFor(seed, GENERATOR))),
    ...weightsWithPrefix(DISCRIMINATOR, initialState(networks.discriminator.weights, seedFor(seed, DISCRIMINATOR))),
    ...playerState(critic),
    ...playerState(generator),
  });
  const criticStep = await compilePlayer(critic, playerUpdates(critic), store);
  const generatorStep = await compilePlayer(generator, playerUpdates(generator), store);
  const drawn = (rng: Rng) => ({
    z: rng.normals(batch * latent),
    wanted: Int32Array.from({ length: batch }, () => rng.int(classes)),
  });

  await runLoop({
    work,
    name: "plg",
    total: steps,
    unit: "generator steps",
    store,
    async open(first) {
      const augment = Augmentation.parse({ flip: settings.flip });
      const order = endless(labelled, {
        batch,
        seed: seedFor(seed, "plg", "real"),
        step: first * criticSteps,
        augment,
      });
      return async (step) => {
        const rng = random(seed, "plg", step);
        let loss = 0;
        for (let k = 0; k < criticSteps; k++) {
          const next = (await order.next()).value!;
          loss = await criticStep.take({ real: next.images, realClasses: next.labels, ...drawn(rng) });
        }
        const row = {
          discriminator: loss,
          generator: await generatorStep.take({ ...drawn(rng), ...views.draw(rng) }),
        };
        checkFinite("plg discriminator", step, row.discriminator);
        checkFinite("plg generator", step, row.generator);
        if ((step + 1) % 25 === 0 || step + 1 === steps) await work.log({ training: "plg", step: step + 1, ...row });
        return row;
      };
    },
  });
  await criticStep.release();
  await generatorStep.release();
  const names = (prefix: string, { weights }: { weights: readonly { name: string }[] }) =>
    weights.map((w) => prefix + w.name);
  return store.snapshot([...names(GENERATOR, networks.generator), ...names(DISCRIMINATOR, networks.discriminator)]);
}
