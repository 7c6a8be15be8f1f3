import type { ImageSet } from "../data/dataset.ts";
import { endless } from "../data/loader.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { add, mul, neg, square, sub } from "../engine/ops/elementwise.ts";
import { mean, norm2, sum } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random, seedFor } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { constantRate } from "../engine/schedule.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { checkFinite, runLoop, type Work } from "../engine/work.ts";
import { initialState, trainable } from "../models/bind.ts";
import type { DcganSettings } from "./dcgan.ts";
import { DISCRIMINATOR, GENERATOR, type PriorNetworks, weightsWithPrefix } from "./prior.ts";

/**
 * E D(G(z)) − E D(x) + penalty · E(‖∇D(x̂)‖₂ − 1)², x̂ on the lines between real and fake images (Gulrajani et al. 2017, eq. 3).
 * `alpha` is [N, 1, 1, 1], uniform in [0, 1].
 */
export function wganGpLoss(
  critic: (x: Value) => Value,
  real: Value,
  fake: Value,
  alpha: Value,
  penalty: number,
): Value {
  const mixed = add(mul(alpha, real), mul(sub(1, alpha), fake));
  const [slope] = grad(sum(critic(mixed)), [mixed]);
  // The tiny number under the root keeps the slope of the norm finite where a critic is flat.
  const steepness = mean(square(sub(norm2(slope!, [1, 2, 3], 1e-12), 1)));
  return add(sub(mean(critic(fake)), mean(critic(real))), mul(steepness, penalty));
}

/**
 * Trains generator and critic on the public images (GMI's recipe) and returns the weights of both under their prefixes.
 * Every hundredth generator step logs a row. @throws DivergedError when a loss is no longer finite.
 */
export async function trainWganGp(options: {
  readonly networks: PriorNetworks;
  readonly images: ImageSet;
  readonly settings: DcganSettings;
  readonly seed: number;
  readonly work: Work;
}): Promise<StateDict> {
  const { networks, images, settings, seed, work } = options;
  const { batch, latent, steps, critic: criticSteps } = settings;
  const plan = (name: string) => ({
    name,
    optimizer: adam({ betas: [0.5, 0.999] }),
    rate: constantRate(settings.rate),
  });

  const z = input("z", [batch, latent]);
  const makers = (name: string) => {
    const g = trainable({ training: true, prefix: GENERATOR });
    const d = trainable({ training: true, prefix: DISCRIMINATOR });
    const fake = g.apply(networks.generator, z);
    return {
      g,
      d,
      fake,
      score: (x: Value) => networks.naturalness(d.apply(networks.discriminator, x)),
      plan: plan(name),
    };
  };

  const c = makers("optimizer/critic");
  const real = input("real", [batch, ...networks.image]);
  const criticLoss = wganGpLoss(c.score, real, c.fake, input("alpha", [batch, 1, 1, 1]), settings.penalty);
  const criticWeights = c.d.trained();

  const m = makers("optimizer/generator");
  const generatorLoss = neg(mean(m.score(m.fake)));
  const generatorWeights = m.g.trained();

  const store = createStore({
    ...weightsWithPrefix(GENERATOR, initialState(networks.generator.weights, seedFor(seed, GENERATOR))),
    ...weightsWithPrefix(DISCRIMINATOR, initialState(networks.discriminator.weights, seedFor(seed, DISCRIMINATOR))),
  });
  store.add(optimizerState(c.plan, criticWeights));
  store.add(optimizerState(m.plan, generatorWeights));
  const criticStep = await compile({
    outputs: { loss: criticLoss },
    updates: optimizerUpdates(c.plan, criticWeights, grad(criticLoss, criticWeights)),
    store,
  });
  const generatorStep = await compile({
    outputs: { loss: generatorLoss },
    updates: { ...m.g.updates, ...optimizerUpdates(m.plan, generatorWeights, grad(generatorLoss, generatorWeights)) },
    store,
  });

  await runLoop({
    work,
    name: "wgan-gp",
    total: steps,
    unit: "generator steps",
    store,
    async open(first) {
      const augment = { flip: settings.flip, crop: 0, brightness: 0, contrast: 0, saturation: 0 };
      const order = endless(images, {
        batch,
        seed: seedFor(seed, "wgan-gp", "real"),
        step: first * criticSteps,
        augment,
      });
      return async (step) => {
        const rng = random(seed, "wgan-gp", step);
        let loss = 0;
        for (let k = 0; k < criticSteps; k++) {
          const next = (await order.next()).value!;
          const result = await criticStep.run({
            real: next.images,
            z: rng.normals(batch * latent),
            alpha: rng.uniforms(batch),
          });
          loss = result.loss!.data[0]!;
        }
        const result = await generatorStep.run({ z: rng.normals(batch * latent) });
        const row = { critic: loss, generator: result.loss!.data[0]! };
        checkFinite("wgan-gp critic", step, row.critic);
        checkFinite("wgan-gp generator", step, row.generator);
        if ((step + 1) % 100 === 0 || step + 1 === steps)
          await work.log({ training: "wgan-gp", step: step + 1, ...row });
        return row;
      };
    },
  });
  await criticStep.release();
  await generatorStep.release();
  return store.snapshot([
    ...networks.generator.weights.map((w) => GENERATOR + w.name),
    ...networks.discriminator.weights.map((w) => DISCRIMINATOR + w.name),
  ]);
}
