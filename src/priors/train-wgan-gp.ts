import type { ImageSet } from "../data/dataset.ts";
import { endless } from "../data/loader.ts";
import { grad } from "../engine/autodiff.ts";
import { input, parameter, type Value } from "../engine/graph.ts";
import { add, div, minimum, mul, neg, square, sub } from "../engine/ops/elementwise.ts";
import { concat, sliceAxis } from "../engine/ops/movement.ts";
import { mean, norm2, sum } from "../engine/ops/reduce.ts";
import { adam, type OptimizerPlan, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random, seedFor } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { constantRate } from "../engine/schedule.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import type { FloatTensor } from "../engine/tensor.ts";
import { checkFinite, runLoop, type Work } from "../engine/work.ts";
import { initialState, trainable } from "../models/bind.ts";
import type { DcganSettings } from "./dcgan.ts";
import { DISCRIMINATOR, GENERATOR, type PriorNetworks, weightsWithPrefix } from "./prior.ts";

/** What the critic's loss is made of; images are [N, C, H, W]. */
export interface CriticTerms {
  readonly critic: (x: Value) => Value;
  readonly real: Value;
  readonly fake: Value;
  /** [M, 1, 1, 1], uniform in [0, 1]: the penalty is measured between the first M ≤ N real and fake images. */
  readonly alpha: Value;
  readonly penalty: number;
}

/** E D(G(z)) − E D(x) + penalty · E(‖∇D(x̂)‖₂ − 1)², x̂ on the lines between real and fake images (Gulrajani et al. 2017, eq. 3) */
export function wganGpLoss({ critic, real, fake, alpha, penalty }: CriticTerms): Value {
  const [n, m] = [real.shape[0]!, alpha.shape[0]!];
  const some = (x: Value) => sliceAxis(x, 0, 0, m);
  const mixed = add(mul(alpha, some(real)), mul(sub(1, alpha), some(fake)));
  const [slope] = grad(sum(critic(mixed)), [mixed]);
  // The tiny number under the root keeps the slope of the norm finite where a critic is flat.
  const steepness = mean(square(sub(norm2(slope!, [1, 2, 3], 1e-12), 1)));
  // The critic treats each image by itself, so real and fake ones can go through it together.
  const scores = critic(concat([fake, real], 0));
  const distance = sub(mean(sliceAxis(scores, 0, 0, n)), mean(sliceAxis(scores, 0, n, 2 * n)));
  return add(distance, mul(steepness, penalty));
}

const AVERAGE = "average/";

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
  const { batch, latent, steps, critic: criticSteps, rate, criticRate = rate, penaltyBatch = batch } = settings;
  const plan = (name: string, r: number): OptimizerPlan => ({
    name,
    optimizer: adam({ betas: [0.5, 0.999] }),
    rate: constantRate(r),
  });
  const criticPlan = plan("optimizer/critic", criticRate);
  const generatorPlan = plan("optimizer/generator", rate);

  const z = input("z", [batch, latent]);
  const bind = () => {
    const g = trainable({ training: true, prefix: GENERATOR });
    const d = trainable({ training: true, prefix: DISCRIMINATOR });
    const score = (x: Value) => networks.naturalness(d.apply(networks.discriminator, x));
    return { g, d, fake: g.apply(networks.generator, z), score };
  };

  const c = bind();
  const m = Math.min(penaltyBatch, batch);
  const real = input("real", [batch, ...networks.image]);
  const alpha = input("alpha", [m, 1, 1, 1]);
  const criticLoss = wganGpLoss({ critic: c.score, real, fake: c.fake, alpha, penalty: settings.penalty });
  const criticWeights = c.d.trained();

  const g = bind();
  const generatorLoss = neg(mean(g.score(g.fake)));
  const generatorWeights = g.g.trained();
  const next = {
    ...g.g.updates,
    ...optimizerUpdates(generatorPlan, generatorWeights, grad(generatorLoss, generatorWeights)),
  };

  const first = weightsWithPrefix(GENERATOR, initialState(networks.generator.weights, seedFor(seed, GENERATOR)));
  const averaged = settings.average > 0 ? weightsWithPrefix(AVERAGE, first) : {};
  const store = createStore({
    ...first,
    ...weightsWithPrefix(DISCRIMINATOR, initialState(networks.discriminator.weights, seedFor(seed, DISCRIMINATOR))),
    ...averaged,
    ...optimizerState(criticPlan, criticWeights),
    ...optimizerState(generatorPlan, generatorWeights),
  });
  const criticStep = await compile({
    outputs: { loss: criticLoss },
    updates: optimizerUpdates(criticPlan, criticWeights, grad(criticLoss, criticWeights)),
    store,
  });
  const generatorStep = await compile({
    outputs: { loss: generatorLoss },
    updates: { ...next, ...averageUpdates(Object.keys(averaged), next, settings.average, generatorPlan) },
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
            alpha: rng.uniforms(m),
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
  const kept: Record<string, FloatTensor> = store.snapshot(
    networks.discriminator.weights.map((w) => DISCRIMINATOR + w.name),
  );
  const source = settings.average > 0 ? AVERAGE : "";
  for (const { name } of networks.generator.weights) kept[GENERATOR + name] = store.get(`${source}${GENERATOR}${name}`);
  return kept;
}

/** The running average of each weight and statistic. Early on it follows faster, so that first weights are soon forgotten. */
function averageUpdates(
  names: readonly string[],
  next: Readonly<Record<string, Value>>,
  decay: number,
  plan: OptimizerPlan,
): Record<string, Value> {
  const step = parameter(`${plan.name}/step`, []);
  const kept = minimum(div(add(step, 1), add(step, 10)), decay);
  return Object.fromEntries(
    names.map((name) => {
      const target = next[name.slice(AVERAGE.length)]!;
      const average = parameter(name, target.shape);
      return [name, add(target, mul(kept, sub(average, target)))];
    }),
  );
}
