import type { ImageSet } from "../data/dataset.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { add, mul, neg, square, sub } from "../engine/ops/elementwise.ts";
import { concat, sliceAxis } from "../engine/ops/movement.ts";
import { mean, norm2, sum } from "../engine/ops/reduce.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import { bindNetworks, compilePlayer, player, playerState, playerUpdates } from "./adversaries.ts";
import type { DcganSettings } from "./dcgan.ts";
import { firstWeights, type PriorNetworks } from "./prior.ts";
import { playRounds, realBatches } from "./rounds.ts";
import { runningAverage } from "./running-average.ts";

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
  const z = input("z", [batch, latent]);
  const bind = () => {
    const bound = bindNetworks(networks, z);
    const score = (x: Value) => networks.naturalness(bound.discriminator.apply(networks.discriminator, x));
    return { ...bound, score };
  };

  const c = bind();
  const m = Math.min(penaltyBatch, batch);
  const real = input("real", [batch, ...networks.image]);
  const alpha = input("alpha", [m, 1, 1, 1]);
  const criticLoss = wganGpLoss({ critic: c.score, real, fake: c.fake, alpha, penalty: settings.penalty });
  const critic = player("critic", criticRate, criticLoss, c.discriminator);

  const g = bind();
  const generator = player("generator", rate, neg(mean(g.score(g.fake))), g.generator, g.generator.updates);
  const next = playerUpdates(generator);

  const start = firstWeights(networks, seed);
  const average = runningAverage(networks, start, settings.average, generator.plan);
  const store = createStore({
    ...start,
    ...average.state,
    ...playerState(critic),
    ...playerState(generator),
  });
  const criticStep = await compilePlayer(critic, playerUpdates(critic), store);
  const generatorStep = await compilePlayer(generator, { ...next, ...average.updates(next) }, store);

  const name = "wgan-gp";
  await playRounds({
    name,
    total: steps,
    every: 100,
    store,
    seed,
    work,
    open(first) {
      const order = realBatches(images, { name, batch, seed, flip: settings.flip }, first * criticSteps);
      return async (rng) => {
        let loss = 0;
        for (let k = 0; k < criticSteps; k++) {
          const next = (await order.next()).value!;
          const feeds = { real: next.images, z: rng.normals(batch * latent), alpha: rng.uniforms(m) };
          loss = await criticStep.take(feeds);
        }
        return { critic: loss, generator: await generatorStep.take({ z: rng.normals(batch * latent) }) };
      };
    },
  });
  await criticStep.release();
  await generatorStep.release();
  return average.result(store);
}
