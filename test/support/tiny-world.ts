import type { ImageSet } from "../../src/data/dataset.ts";
import { memorySet } from "../../src/data/memory-set.ts";
import type { Value } from "../../src/engine/graph.ts";
import { add, mul, sub } from "../../src/engine/ops/elementwise.ts";
import { matmul } from "../../src/engine/ops/linear.ts";
import { reshape, sliceAxis } from "../../src/engine/ops/movement.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { type Rng, random } from "../../src/engine/random.ts";
import { sizeOf } from "../../src/engine/shape.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { unwatched, type Work } from "../../src/engine/work.ts";
import { initialState } from "../../src/models/bind.ts";
import { constantInitial, uniformBias } from "../../src/models/initial.ts";
import { conditionOf } from "../../src/models/layers.ts";
import { logitsLayer, type Model, weightsOf } from "../../src/models/model.ts";
import { buildResNet } from "../../src/models/resnet.ts";
import { classification, oneHotTargets, train } from "../../src/models/train.ts";
import { TrainingSettings } from "../../src/models/training.ts";
import { dcgan } from "../../src/priors/dcgan.ts";
import { gmiGeneratorBlocks } from "../../src/priors/gmi-networks.ts";
import { kedmi } from "../../src/priors/kedmi.ts";
import { plg } from "../../src/priors/plg.ts";
import { DISCRIMINATOR, GENERATOR, type Prior, type PriorNetworks, weightsWithPrefix } from "../../src/priors/prior.ts";
import { stylegan } from "../../src/priors/stylegan.ts";
import { type SynthesisBlock, type SynthesisParts, wholeSynthesis } from "../../src/priors/synthesis-parts.ts";
import { synthesize } from "../../src/priors/synthesize.ts";
import { tacgan } from "../../src/priors/tacgan.ts";
import { once } from "./once.ts";

/** Identities of each range, the length of a latent, and the images' shape. */
export const IDENTITIES = 8;
export const LATENT = 8;
export const IMAGE = [3, 16, 16] as const;

const SEED = 11;
const WIDTH = 8;
const PRIOR = { latent: LATENT, width: WIDTH };

/** The settings of each prior at the world's size, and few steps of training. */
export const PRIOR_SETTINGS = {
  dcgan: dcgan.config.parse({ ...PRIOR, steps: 12, critic: 2, batch: 16, rate: 1e-3 }),
  kedmi: kedmi.config.parse({ ...PRIOR, steps: 12, critic: 2, batch: 16, rate: 1e-3, kernels: 4, kernelRows: 3 }),
  stylegan: stylegan.config.parse({
    ...PRIOR,
    style: 6,
    mappingLayers: 2,
    width: 4,
    maxWidth: 12,
    steps: 12,
    batch: 16,
    rate: 1e-2,
    average: 0.5,
    lazy: 4,
  }),
  plg: plg.config.parse({ ...PRIOR, width: 4, top: 4, steps: 12, critic: 2, batch: 16, rate: 1e-3 }),
  tacgan: tacgan.config.parse({ ...PRIOR, width: 4, unconditional: 0, steps: 12, critic: 2, batch: 16, rate: 1e-3 }),
} as const;

/** The networks of each prior. */
export const NETWORKS = {
  dcgan: dcgan.networks(PRIOR_SETTINGS.dcgan, { image: IMAGE, classes: IDENTITIES }),
  kedmi: kedmi.networks(PRIOR_SETTINGS.kedmi, { image: IMAGE, classes: IDENTITIES }),
  plg: plg.networks(PRIOR_SETTINGS.plg, { image: IMAGE, classes: IDENTITIES }),
  stylegan: stylegan.networks(PRIOR_SETTINGS.stylegan, { image: IMAGE, classes: IDENTITIES }),
  tacgan: tacgan.networks(PRIOR_SETTINGS.tacgan, { image: IMAGE, classes: IDENTITIES }),
} as const;

/**
 * A world in which model inversion must work: an identity is a point z of a generator's latent space, its images are G(z + small
 * noise) with noise on the pixels, and the attacker's prior is that same generator. No GAN is trained: weights are drawn.
 */
export interface TinyWorld {
  readonly train: ImageSet;
  readonly validation: ImageSet;
  /** Private identities too, for the evaluation model. */
  readonly evaluation: ImageSet;
  /** Eight other identities: public images and pre-training set in one. */
  readonly public: ImageSet;
  /** Public images of many people, one each. */
  readonly crowd: ImageSet;
  readonly priors: Readonly<Record<keyof typeof NETWORKS, Prior>>;
}

/** The world, the same every time. */
export const tinyWorld = once(drawWorld);

async function drawWorld(): Promise<TinyWorld> {
  const generator = weightsWithPrefix(GENERATOR, vividGenerator());
  const priorOf = (kind: keyof typeof NETWORKS): Prior => {
    const networks = NETWORKS[kind];
    const discriminator = initialState(networks.discriminator.weights, SEED);
    return { kind, networks, state: { ...generator, ...weightsWithPrefix(DISCRIMINATOR, discriminator) } };
  };
  const priors = {
    dcgan: priorOf("dcgan"),
    kedmi: priorOf("kedmi"),
    plg: conditionalPrior("plg", generator),
    stylegan: styledPrior(generator),
    tacgan: conditionalPrior("tacgan", generator),
  };
  const draw = (part: string, range: "private" | "public", each: number) => drawSet(priors.dcgan, part, range, each);
  return {
    train: await draw("train", "private", 16),
    validation: await draw("validation", "private", 6),
    evaluation: await draw("evaluation", "private", 24),
    public: await draw("public", "public", 16),
    crowd: await drawSet(priors.dcgan, "crowd", "crowd", 1, 512),
    priors,
  };
}

/** The world's generator as a conditional prior: a class moves the latent, so a latent meant for one class does not serve another. */
function conditionalPrior(kind: "plg" | "tacgan", generator: StateDict): Prior {
  const shift = { name: "shift", shape: [IDENTITIES, LATENT], kind: "weight", initial: uniformBias(25) } as const;
  const inner = NETWORKS.dcgan.generator;
  const networks: PriorNetworks = {
    ...NETWORKS[kind],
    generator: {
      weights: [...inner.weights, shift],
      apply: (z, c) => inner.apply(add(z, matmul(conditionOf(c, "shift"), c.weight("shift"))), c),
    },
  };
  const own = weightsWithPrefix(GENERATOR, initialState([shift], SEED));
  const discriminator = weightsWithPrefix(DISCRIMINATOR, initialState(networks.discriminator.weights, SEED));
  return { kind, networks, state: { ...generator, ...own, ...discriminator } };
}

/**
 * The world's generator as a prior with styles: w is z itself, and the latent is the mean of the styles of two layers. Later blocks look
 * at the styles too, at how far the two are apart: images of one style for both are those of the latent.
 */
function styledPrior(generator: StateDict): Prior {
  const average = { name: "mapping.w_avg", shape: [LATENT], kind: "buffer", initial: constantInitial(0) } as const;
  const inner = NETWORKS.dcgan.generator;
  const mapping = { weights: [average], apply: (z: Value) => z };
  const { latent, width, kernel } = PRIOR_SETTINGS.dcgan;
  const blocks = gmiGeneratorBlocks(latent, IMAGE, width, kernel).map(
    (layer): SynthesisBlock => ({
      weights: layer.weights,
      apply(before, styles, c) {
        if (before === undefined) return { features: layer.apply(mean(styles, [1]), c) };
        const apart = mean(sub(sliceAxis(styles, 1, 1, 2), sliceAxis(styles, 1, 0, 1)), [1, 2]);
        const bend = reshape(add(mul(apart, 0.1), 1), [styles.shape[0]!, 1, 1, 1]);
        return { features: layer.apply(mul(before.features, bend), c) };
      },
    }),
  );
  const parts: SynthesisParts = { blocks, finish: ({ features }) => features };
  const networks: PriorNetworks = {
    ...NETWORKS.stylegan,
    generator: { weights: [average, ...inner.weights], apply: (z, c) => inner.apply(z, c) },
    styles: { length: LATENT, count: 2, mapping, synthesis: wholeSynthesis(parts), parts },
  };
  const own = weightsWithPrefix(GENERATOR, initialState([average], SEED));
  const discriminator = weightsWithPrefix(DISCRIMINATOR, initialState(networks.discriminator.weights, SEED));
  return { kind: "stylegan", networks, state: { ...generator, ...own, ...discriminator } };
}

/** A small ResNet for the world's images; the evaluation model has more blocks than the target. */
export function tinyModel(role: "target" | "evaluation" = "target"): Model {
  const blocks = role === "target" ? [1, 1, 1] : [2, 1, 1, 1];
  const widths = [8, 12, 16, 24].slice(0, blocks.length);
  return buildResNet(`tiny ${role}`, blocks, widths, "small", { input: IMAGE, classes: IDENTITIES });
}

/** Settings with which the tiny models learn the tiny world in a second or two. */
export const TINY_TRAINING: TrainingSettings = TrainingSettings.parse({ epochs: 5, batch: 16, rate: 0.05 });

/** Trains a tiny model on all its weights. */
export function trainTiny(model: Model, images: ImageSet, seed: number, work: Work = unwatched): Promise<StateDict> {
  return train({
    work,
    name: "tiny",
    trained: logitsLayer(model),
    start: initialState(weightsOf(model), seed),
    objective: classification,
    targets: oneHotTargets(model.classes),
    train: images,
    settings: TINY_TRAINING,
    seed,
  });
}

/** Generator weights that keep activations of order one, so that images vary visibly; batch norms as they begin. */
function vividGenerator(): StateDict {
  const { generator } = NETWORKS.dcgan;
  const first = initialState(generator.weights, SEED);
  return Object.fromEntries(
    generator.weights.map(({ name, shape }) => {
      if (shape.length === 1) return [name, first[name]!];
      // A transposed convolution of stride 2 adds a quarter of its 5×5 taps for each output.
      const fanIn = shape.length === 2 ? shape[1]! : (shape[0]! * 25) / 4;
      const normals = random(SEED, "generator", name).normals(sizeOf(shape));
      return [
        name,
        tensor(
          normals.map((x) => (2 * x) / Math.sqrt(fanIn)),
          shape,
        ),
      ];
    }),
  );
}

async function drawSet(
  prior: Prior,
  part: string,
  range: string,
  each: number,
  people = IDENTITIES,
): Promise<ImageSet> {
  const labels = Int32Array.from({ length: people * each }, (_, i) => Math.floor(i / each));
  const latents = new Float32Array(labels.length * LATENT);
  const centers = Array.from({ length: people }, (_, k) => center(random(SEED, range, k)));
  const rng = random(SEED, "images", part);
  for (const [i, label] of labels.entries())
    for (let j = 0; j < LATENT; j++) latents[i * LATENT + j] = centers[label]![j]! + 0.15 * rng.normal();
  const images = await synthesize(prior, latents);
  return memorySet({
    name: `tiny ${part}`,
    channels: IMAGE[0],
    height: IMAGE[1],
    width: IMAGE[2],
    classes: Array.from({ length: people }, (_, k) => `${range} ${k}`),
    labels,
    bytes: Uint8Array.from(images, (x) => Math.min(255, Math.max(0, Math.round(255 * (x + 0.02 * rng.normal()))))),
  });
}

/** Well inside ±1, which is where attacks look. */
function center(rng: Rng): Float32Array {
  return rng.uniforms(LATENT).map((u) => 1.6 * u - 0.8);
}

/** Weights of the undefended target: every weight trained on the private images. */
export const trainedTarget = once(async () => trainTiny(tinyModel(), (await tinyWorld()).train, 1));

/** Weights of the same architecture that know public images alone: what a target may start from. */
export const pretrainedWeights = once(async () => trainTiny(tinyModel(), (await tinyWorld()).public, 7));
