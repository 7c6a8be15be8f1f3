import type { ImageSet } from "../data/dataset.ts";
import { endless } from "../data/loader.ts";
import { input, type Value } from "../engine/graph.ts";
import { softplus } from "../engine/ops/activation.ts";
import { abs, add, mul, sub } from "../engine/ops/elementwise.ts";
import { crossEntropy, meanEntropy } from "../engine/ops/loss.ts";
import { logSumExp, mean } from "../engine/ops/reduce.ts";
import { seedFor } from "../engine/random.ts";
import { sameShape } from "../engine/shape.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import { initialState } from "../models/bind.ts";
import { bindNetworks, compilePlayer, player, playerState, playerUpdates } from "./adversaries.ts";
import type { KedmiNetworks, KedmiSettings } from "./kedmi.ts";
import { DISCRIMINATOR, GENERATOR, weightsUnder, weightsWithPrefix } from "./prior.ts";
import { playRounds } from "./rounds.ts";
import type { SoftLabels } from "./soft-labels.ts";

/** What KEDMI's GAN learns from. */
export interface KedmiTraining {
  readonly networks: KedmiNetworks;
  readonly images: ImageSet;
  /** The attacked target's softmax for images of `images`. */
  readonly softLabels: SoftLabels;
  readonly classes: number;
  readonly settings: KedmiSettings;
  /** A public prior whose generator training starts from; used where its shapes fit. */
  readonly start?: StateDict;
  readonly seed: number;
  readonly work: Work;
}

/**
 * The discriminator's loss (Chen et al. 2021, eq. 3 to 5): soft labels on x, real or fake by Z = ln Σ exp D_k on x_u and G(z).
 * Each argument is D's logits [N, K].
 */
export function kedmiDiscriminatorLoss(labelled: Value, softLabels: Value, real: Value, fake: Value): Value {
  const z = logSumExp(real);
  const genuine = sub(mean(softplus(z)), mean(z));
  const faked = mean(softplus(logSumExp(fake)));
  return add(crossEntropy(labelled, softLabels), mul(add(genuine, faked), 0.5));
}

/** The generator's loss (eq. 6): mean features of fakes and reals alike, and fakes of a clear class. Features [N, d], logits [N, K]. */
export function kedmiGeneratorLoss(
  fakeFeatures: Value,
  realFeatures: Value,
  fakeLogits: Value,
  entropy: number,
): Value {
  const matching = mean(abs(sub(mean(fakeFeatures, [0]), mean(realFeatures, [0]))));
  return add(matching, mul(meanEntropy(fakeLogits), entropy));
}

/** Trains KEDMI's GAN against a target and returns the weights of both networks under their prefixes. Every 25th step logs a row. */
export async function trainKedmi(options: KedmiTraining): Promise<StateDict> {
  const { networks, images, softLabels, classes, settings, seed, work } = options;
  const { batch, latent, steps, critic: criticSteps } = settings;
  const z = input("z", [batch, latent]);
  const real = input("real", [batch, ...networks.image]);
  const labelled = input("labelled", [batch, ...networks.image]);
  const soft = input("softLabels", [batch, classes]);
  const bind = () => {
    const bound = bindNetworks(networks, z);
    const features = (x: Value) => bound.discriminator.apply(networks.trunk, x);
    const logits = (f: Value) => bound.discriminator.apply(networks.classHead, f);
    return { ...bound, features, logits };
  };

  const c = bind();
  const judged = (x: Value) => c.logits(c.features(x));
  const criticLoss = kedmiDiscriminatorLoss(judged(labelled), soft, judged(real), judged(c.fake));
  const critic = player("critic", settings.rate, criticLoss, c.discriminator);

  const m = bind();
  const fakeFeatures = m.features(m.fake);
  const matched = kedmiGeneratorLoss(fakeFeatures, m.features(real), m.logits(fakeFeatures), settings.entropy);
  const generator = player("generator", settings.rate, matched, m.generator, m.generator.updates);

  const store = createStore({
    ...firstGenerator(options),
    ...weightsWithPrefix(DISCRIMINATOR, initialState(networks.discriminator.weights, seedFor(seed, DISCRIMINATOR))),
    ...playerState(critic),
    ...playerState(generator),
  });
  const criticStep = await compilePlayer(critic, playerUpdates(critic), store);
  const generatorStep = await compilePlayer(generator, playerUpdates(generator), store);

  const perStep = criticSteps + 1;
  await playRounds({
    name: "kedmi",
    total: steps,
    every: 25,
    store,
    seed,
    work,
    open(first) {
      const draw = (name: string, step: number) => endless(images, { batch, seed: seedFor(seed, "kedmi", name), step });
      const labelledOrder = draw("labelled", first * criticSteps);
      const realOrder = draw("real", first * perStep);
      return async (rng) => {
        let loss = 0;
        for (let k = 0; k < criticSteps; k++) {
          const [a, b] = [(await labelledOrder.next()).value!, (await realOrder.next()).value!];
          const labels = await softLabels.of(a);
          const feeds = { labelled: a.images, real: b.images, softLabels: labels, z: rng.normals(batch * latent) };
          loss = await criticStep.take(feeds);
        }
        const next = (await realOrder.next()).value!;
        const generatorLoss = await generatorStep.take({ real: next.images, z: rng.normals(batch * latent) });
        return { discriminator: loss, generator: generatorLoss };
      };
    },
  });
  await criticStep.release();
  await generatorStep.release();
  const names = (prefix: string, { weights }: { weights: readonly { name: string }[] }) =>
    weights.map((w) => prefix + w.name);
  return store.snapshot([...names(GENERATOR, networks.generator), ...names(DISCRIMINATOR, networks.discriminator)]);
}

function firstGenerator({ networks, settings, start, seed }: KedmiTraining): StateDict {
  const fresh = initialState(networks.generator.weights, seedFor(seed, GENERATOR));
  const given = start === undefined ? {} : weightsUnder(GENERATOR, start);
  const fits = Object.entries(fresh).every(
    ([name, t]) => given[name] !== undefined && sameShape(given[name].shape, t.shape),
  );
  return weightsWithPrefix(GENERATOR, settings.resume && fits ? given : fresh);
}
