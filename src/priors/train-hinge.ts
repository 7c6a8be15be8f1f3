import type { ImageSet } from "../data/dataset.ts";
import { input, type Value } from "../engine/graph.ts";
import { relu } from "../engine/ops/activation.ts";
import { add, sub } from "../engine/ops/elementwise.ts";
import { concat, oneHot, sliceAxis } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import type { Rng } from "../engine/random.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import type { TensorData } from "../engine/tensor.ts";
import type { Work } from "../engine/work.ts";
import { bindNetworks, compilePlayer, type Player, player, playerState, playerUpdates } from "./adversaries.ts";
import { generatorLearns } from "./conditional-generator.ts";
import { firstWeights, type PriorNetworks } from "./prior.ts";
import { criticStepsBefore, criticStepsOf, playRounds, realBatches } from "./rounds.ts";
import { runningAverage } from "./running-average.ts";

/** How a GAN with classes and the hinge loss is trained. */
export interface HingeSettings {
  readonly latent: number;
  readonly steps: number;
  /** Discriminator steps before each generator step. */
  readonly critic: number;
  /** How many more before the first. */
  readonly settle?: number | undefined;
  readonly batch: number;
  /** Learning rate of Adam, β (0, 0.9). */
  readonly rate: number;
  /** The discriminator's; that of the generator where it is left out. */
  readonly criticRate?: number | undefined;
  readonly average?: number | undefined;
  readonly learns?: "all" | "norms" | undefined;
  /** Probability of a mirrored real image. */
  readonly flip: number;
}

/** What is added to the generator's loss for fakes [N, C, H, W] of the wanted classes (one-hot rows), and what the graph is fed for it. */
export type Guide = (
  fakes: Value,
  wanted: Value,
) => { readonly loss: Value; draw(rng: Rng): Readonly<Record<string, TensorData>> };

/** What a GAN with classes and the hinge loss learns from. */
export interface HingeTraining {
  /** Names the training in its random streams, its progress and its log. */
  readonly name: string;
  readonly networks: PriorNetworks;
  /** Real images, with the labels that both networks are conditioned on. */
  readonly images: ImageSet;
  readonly classes: number;
  readonly settings: HingeSettings;
  readonly guide: Guide;
  /** First weights of both networks under their prefixes, where they are not random. */
  readonly start?: StateDict;
  readonly seed: number;
  readonly work: Work;
}

const BETAS = [0, 0.9] as const;

/** E max(0, 1 − D(x, y)) + E max(0, 1 + D(G(z, y), y)): the hinge loss (Miyato & Koyama 2018, eq. 10). Scores are [N]. */
export function hingeLoss(real: Value, fake: Value): Value {
  return add(mean(relu(sub(1, real))), mean(relu(add(fake, 1))));
}

/**
 * Both players of a GAN with classes and the hinge loss. Their graphs are fed `z` [N, latent], the critic's also `real` [N, C, H, W]; classes of
 * fakes are fed under `wanted` [N], those of real images under `realClasses` [N]; and what the guide draws.
 */
export function hingePlayers(
  networks: PriorNetworks,
  classes: number,
  settings: Pick<HingeSettings, "batch" | "latent" | "rate" | "criticRate" | "learns">,
  guide: Guide,
): { readonly critic: Player; readonly generator: Player; readonly guided: ReturnType<Guide> } {
  const { batch, latent, rate, criticRate = rate } = settings;
  const z = input("z", [batch, latent]);
  const rows = (of: string) => oneHot(input(of, [batch], "int32"), classes);
  const wanted = rows("wanted");
  const realClasses = rows("realClasses");
  const real = input("real", [batch, ...networks.image]);

  const c = bindNetworks(networks, z, wanted);
  // Real and fake images go through the discriminator together: one step of power iteration serves both.
  const judged = c.discriminator.apply(
    networks.discriminator,
    concat([c.fake, real], 0),
    concat([wanted, realClasses], 0),
  );
  const half = (from: number) => sliceAxis(networks.naturalness(judged), 0, from * batch, (from + 1) * batch);
  const criticLoss = hingeLoss(half(1), half(0));
  const critic = player("critic", criticRate, criticLoss, c.discriminator, c.discriminator.updates, BETAS);

  const g = bindNetworks(networks, z, wanted);
  const natural = mean(networks.naturalness(g.discriminator.apply(networks.discriminator, g.fake, wanted)));
  const guided = guide(g.fake, wanted);
  const generatorLoss = sub(guided.loss, natural);
  const generator = player(
    "generator",
    rate,
    generatorLoss,
    g.generator,
    g.generator.updates,
    BETAS,
    generatorLearns(settings),
  );
  return { critic, generator, guided };
}

/** Trains a GAN with classes and the hinge loss and returns the weights of both networks under their prefixes. Every 25th step logs a row. Resumes. */
export async function trainHinge(options: HingeTraining): Promise<StateDict> {
  const { name, networks, images, classes, settings, guide, seed, work } = options;
  const { batch, latent, steps } = settings;
  const { critic, generator, guided } = hingePlayers(networks, classes, settings, guide);
  const next = playerUpdates(generator);
  const start = options.start ?? firstWeights(networks, seed);
  const average = runningAverage(networks, start, settings.average, generator.plan);
  const store = createStore({ ...start, ...average.state, ...playerState(critic), ...playerState(generator) });
  const criticStep = await compilePlayer(critic, playerUpdates(critic), store);
  const generatorStep = await compilePlayer(generator, { ...next, ...average.updates(next) }, store);
  const drawn = (rng: Rng) => ({
    z: rng.normals(batch * latent),
    wanted: Int32Array.from({ length: batch }, () => rng.int(classes)),
  });

  await playRounds({
    name,
    total: steps,
    every: 25,
    store,
    seed,
    work,
    open(from) {
      const order = realBatches(images, { name, batch, seed, flip: settings.flip }, criticStepsBefore(settings, from));
      return async (rng, round) => {
        let loss = 0;
        for (let k = criticStepsOf(settings, round); k > 0; k--) {
          const { images: shown, labels } = (await order.next()).value!;
          loss = await criticStep.take({
            real: shown,
            realClasses: labels,
            ...drawn(rng),
          });
        }
        const generator = await generatorStep.take({ ...drawn(rng), ...guided.draw(rng) });
        return { discriminator: loss, generator };
      };
    },
  });
  await criticStep.release();
  await generatorStep.release();
  return average.result(store);
}
