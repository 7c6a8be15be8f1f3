import type { ImageSet } from "../data/dataset.ts";
import { input, type Value } from "../engine/graph.ts";
import { softplus } from "../engine/ops/activation.ts";
import { add, mul, neg } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { concat, oneHot, sliceAxis } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import type { Rng } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import { bindNetworks, compilePlayer, player, playerState, playerUpdates } from "./adversaries.ts";
import { generatorLearns } from "./conditional-generator.ts";
import { firstWeights, type LabellingTarget, type PriorNetworks } from "./prior.ts";
import { criticStepsBefore, criticStepsOf, playRounds, realBatches } from "./rounds.ts";
import { runningAverage } from "./running-average.ts";
import type { TacganSettings } from "./tacgan.ts";
import { classLogits, reality } from "./tacgan-networks.ts";
import { withClasses } from "./with-classes.ts";

/** What T-ACGAN learns from. */
export interface TacganTraining {
  readonly networks: PriorNetworks;
  /** The public images; their labels are not looked at. */
  readonly images: ImageSet;
  readonly target: LabellingTarget;
  readonly classes: number;
  readonly settings: TacganSettings;
  /** A prior without classes that the generator starts from. */
  readonly start?: StateDict;
  readonly seed: number;
  readonly work: Work;
}

const BETAS = [0, 0.9] as const;

/**
 * The discriminator's loss: −log D on real images, −log(1 − D) on fakes, and α times the cross-entropy of the classes of fakes with
 * the labels that the target gives them (Nguyen et al. 2023, eq. 3). `real` and `fake` are D's logits [N, 1 + K], `labels` one-hot
 * rows [N, K], `weight` α.
 */
export function tacganDiscriminatorLoss(real: Value, fake: Value, labels: Value, weight: Value | number): Value {
  const genuine = mean(softplus(neg(reality(real))));
  const faked = mean(softplus(reality(fake)));
  return add(add(genuine, faked), mul(crossEntropy(classLogits(fake), labels), weight));
}

/** The generator's loss: −log D on fakes, and α times the cross-entropy of their classes with the wanted ones (eq. 4). */
export function tacganGeneratorLoss(fake: Value, wanted: Value, weight: Value | number): Value {
  return add(mean(softplus(neg(reality(fake)))), mul(crossEntropy(classLogits(fake), wanted), weight));
}

/**
 * Trains T-ACGAN against a target that only names classes and returns the weights of both networks under their prefixes. The target
 * is asked for the label of every fake that the discriminator learns from, after the first steps without classes. Every 25th step logs
 * a row; `agreement` is the share of the last fakes in which the target sees the wanted class.
 */
export async function trainTacgan(options: TacganTraining): Promise<StateDict> {
  const { networks, images, target, classes, settings, seed, work } = options;
  const { batch, latent, steps, rate, criticRate = rate, unconditional, classWeight } = settings;
  const z = input("z", [batch, latent]);
  const wanted = oneHot(input("wanted", [batch], "int32"), classes);
  const weight = input("classWeight", []);

  // Fakes leave the runtime, since they are shown to a target that is only asked; the discriminator then learns from the same ones.
  const painted = bindNetworks(networks, z, wanted).fake;
  const c = bindNetworks(networks, z, wanted);
  const [fakes, real] = [input("fakes", [batch, ...networks.image]), input("real", [batch, ...networks.image])];
  const judged = c.discriminator.apply(networks.discriminator, concat([fakes, real], 0));
  const half = (from: number) => sliceAxis(judged, 0, from * batch, (from + 1) * batch);
  const given = oneHot(input("given", [batch], "int32"), classes);
  const criticLoss = tacganDiscriminatorLoss(half(1), half(0), given, weight);
  const critic = player("critic", criticRate, criticLoss, c.discriminator, c.discriminator.updates, BETAS);

  const g = bindNetworks(networks, z, wanted);
  const generatorLoss = tacganGeneratorLoss(g.discriminator.apply(networks.discriminator, g.fake), wanted, weight);
  const generator = player(
    "generator",
    rate,
    generatorLoss,
    g.generator,
    g.generator.updates,
    BETAS,
    generatorLearns(settings),
  );

  const next = playerUpdates(generator);
  const start = options.start ? withClasses(networks, options.start, seed) : firstWeights(networks, seed);
  const average = runningAverage(networks, start, settings.average, generator.plan);
  const store = createStore({
    ...start,
    ...average.state,
    ...playerState(critic),
    ...playerState(generator),
  });
  const painter = await compile({ outputs: { painted }, store });
  const criticStep = await compilePlayer(critic, playerUpdates(critic), store);
  const generatorStep = await compilePlayer(generator, { ...next, ...average.updates(next) }, store);
  const drawn = (rng: Rng) => ({
    z: rng.normals(batch * latent),
    wanted: Int32Array.from({ length: batch }, () => rng.int(classes)),
  });

  const name = "tacgan";
  await playRounds({
    name,
    total: steps,
    every: 25,
    store,
    seed,
    work,
    open(first) {
      const order = realBatches(images, { name, batch, seed, flip: settings.flip }, criticStepsBefore(settings, first));
      return async (rng, step) => {
        const conditional = step >= unconditional;
        const share = { classWeight: Float32Array.of(conditional ? classWeight : 0) };
        let loss = 0;
        let agreed = 0;
        for (let k = criticStepsOf(settings, step); k > 0; k--) {
          const next = (await order.next()).value!;
          const feeds = drawn(rng);
          const shown = Float32Array.from((await painter.run(feeds)).painted!.data);
          const labels = conditional ? await target.labels(shown) : feeds.wanted;
          agreed = labels.reduce((n, label, i) => n + (label === feeds.wanted[i] ? 1 : 0), 0) / batch;
          loss = await criticStep.take({ real: next.images, fakes: shown, given: labels, ...share });
        }
        return {
          discriminator: loss,
          generator: await generatorStep.take({ ...drawn(rng), ...share }),
          ...(conditional && { agreement: agreed }),
        };
      };
    },
  });
  for (const program of [painter, criticStep, generatorStep]) await program.release();
  return average.result(store);
}
