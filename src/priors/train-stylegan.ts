import type { ImageSet } from "../data/dataset.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { softplus } from "../engine/ops/activation.ts";
import { add, mul, neg, square } from "../engine/ops/elementwise.ts";
import { mean, sum } from "../engine/ops/reduce.ts";
import type { Rng } from "../engine/random.ts";
import { sizeOf } from "../engine/shape.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import type { Binding } from "../models/bind.ts";
import { bindNetworks, compilePlayer, player, playerState, playerUpdates } from "./adversaries.ts";
import { firstWeights, type PriorNetworks } from "./prior.ts";
import { playRounds, realBatches } from "./rounds.ts";
import { runningAverage } from "./running-average.ts";
import type { StyleganSettings } from "./stylegan.ts";

const BETAS = [0, 0.99] as const;

/** E softplus(D(G(z))) + E softplus(−D(x)): the logistic loss of the discriminator. Scores are [N]. */
export function logisticLoss(real: Value, fake: Value): Value {
  return add(mean(softplus(fake)), mean(softplus(neg(real))));
}

/** E ‖∇D(x)‖² at real images [N, C, H, W], as they are fed, with scores [N] (Mescheder et al. 2018, eq. 9, without its factor γ/2). */
export function squaredSlope(images: Value, scores: Value): Value {
  const [slope] = grad(sum(scores), [images]);
  return mean(sum(square(slope!), [1, 2, 3]));
}

/**
 * The heuristic of StyleGAN2-ADA (Karras et al. 2020, released code) for γ by the images' side and the batch. There the slope is that at
 * images in [−1, 1]; here it is that at images in [0, 1], of which the discriminator sees 2x − 1, so that its square is 4 times as large and
 * the same γ weighs R1 4 times as much.
 */
export const defaultPenalty = (side: number, batch: number): number => (2e-4 * side ** 2) / batch;

/**
 * Trains a StyleGAN2 on the public images: non-saturating logistic loss, R1 on every `lazy`-th step and times as much, and a running
 * average of the generator, which is then the prior. There is no style mixing and no path-length penalty. Returns the weights of both networks under their prefixes. Every hundredth step logs
 * a row. @throws DivergedError when a loss is no longer finite.
 */
export async function trainStylegan(options: {
  readonly networks: PriorNetworks;
  readonly images: ImageSet;
  readonly settings: StyleganSettings;
  readonly seed: number;
  readonly work: Work;
}): Promise<StateDict> {
  const { networks, images, settings, seed, work } = options;
  const { batch, latent, steps, rate, lazy } = settings;
  const penalty = settings.penalty ?? defaultPenalty(networks.image[1], batch);
  const z = input("z", [batch, latent]);
  const real = input("real", [batch, ...networks.image]);
  const bind = () => {
    const bound = bindNetworks(networks, z);
    const score = (x: Value) => networks.naturalness(bound.discriminator.apply(networks.discriminator, x));
    return { ...bound, score };
  };
  /** The discriminator's step; R1 stands for the steps that go without it. */
  const critic = (penalized: boolean) => {
    const c = bind();
    const scores = c.score(real);
    const loss = logisticLoss(scores, c.score(c.fake));
    const whole = penalized ? add(loss, mul(squaredSlope(real, scores), (penalty / 2) * lazy)) : loss;
    return { ...player("critic", rate, whole, c.discriminator, {}, BETAS), noise: noiseOf(c.generator) };
  };
  const [plain, penalized] = [critic(false), critic(true)];
  const g = bind();
  const generator = player(
    "generator",
    rate,
    mean(softplus(neg(g.score(g.fake)))),
    g.generator,
    g.generator.updates,
    BETAS,
  );
  const next = playerUpdates(generator);
  const generatorNoise = noiseOf(g.generator);

  const start = firstWeights(networks, seed);
  const average = runningAverage(networks, start, settings.average, generator.plan);
  const store = createStore({
    ...start,
    ...average.state,
    ...playerState(plain),
    ...playerState(generator),
  });
  const plainStep = await compilePlayer(plain, playerUpdates(plain), store);
  const penalizedStep = await compilePlayer(penalized, playerUpdates(penalized), store);
  const generatorStep = await compilePlayer(generator, { ...next, ...average.updates(next) }, store);

  const name = "stylegan";
  await playRounds({
    name,
    total: steps,
    unit: "steps",
    every: 100,
    store,
    seed,
    work,
    open(first) {
      const order = realBatches(images, { name, batch, seed, flip: settings.flip }, first);
      return async (rng, step) => {
        const { images: shown } = (await order.next()).value!;
        const [who, noise] = step % lazy === 0 ? [penalizedStep, penalized.noise] : [plainStep, plain.noise];
        const discriminator = await who.take({ real: shown, z: rng.normals(batch * latent), ...noise(rng) });
        const feeds = { z: rng.normals(batch * latent), ...generatorNoise(rng) };
        return { discriminator, generator: await generatorStep.take(feeds) };
      };
    },
  });
  for (const step of [plainStep, penalizedStep, generatorStep]) await step.release();
  return average.result(store);
}

/** What a generator in training is fed for its noise. */
function noiseOf({ noises }: Binding): (rng: Rng) => Readonly<Record<string, Float32Array>> {
  const inputs = Object.values(noises).map((v) => [v.leaf!.name, sizeOf(v.shape)] as const);
  return (rng) => Object.fromEntries(inputs.map(([name, count]) => [name, rng.normals(count)]));
}
