import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { input, parameter, type Value } from "../engine/graph.ts";
import { softplus } from "../engine/ops/activation.ts";
import { add, mul, neg } from "../engine/ops/elementwise.ts";
import { mean } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { constantRate, rampedRate } from "../engine/schedule.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { checkFinite, runLoop, type Work } from "../engine/work.ts";
import { trainable } from "../models/bind.ts";
import { DISCRIMINATOR, GENERATOR, type Prior } from "../priors/prior.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import { type ImageDistance, imageDistances, pyramid } from "./image-distance.ts";
import { rowsToImages, type SearchSpace, type StyleSpace } from "./space.ts";

/** Settings of an attack that tunes its generator to images. */
export const tuningSettings = {
  distance: z
    .enum(Object.keys(imageDistances) as [ImageDistance, ...ImageDistance[]])
    .default("pointwise")
    .describe(
      "how images of the generator are compared with those that it is tuned to: each with its own, or all with all by maximum mean discrepancy or conditional transport; by pixels at three sizes, where the paper takes a VGG's features",
    ),
  inversionIterations: z
    .int()
    .positive()
    .default(300)
    .describe("steps in which likely latents are found that are near the images: 300, by mmd 100, by ct 150"),
  inversionRate: z
    .number()
    .positive()
    .default(0.01)
    .describe("highest learning rate of Adam there; it rises for 5 % of the steps and falls over the last 25 %"),
  naturalnessWeight: z
    .number()
    .min(0)
    .default(0.01)
    .describe(
      "weight of ln(1 + exp(−D(x))) beside the distance there, for likely latents; 0.1 in the paper's code, whose distances are larger",
    ),
  tuningIterations: z
    .int()
    .positive()
    .default(150)
    .describe("steps in which the generator's weights bring these latents' images to them: 100 to 150, by ct 25"),
  tuningRate: z.number().positive().default(3e-4).describe("learning rate of Adam there"),
};

type TuningSettings = z.output<z.ZodObject<typeof tuningSettings>>;

/** Where random rows are averaged, and how far latents are disturbed at first (StyleGAN2's projector). */
const SAMPLES = 600;
const NOISE = 0.05;
/** The share of the steps after which they are no longer. */
const CALM = 0.75;
const RAMPS = { up: 0.05, down: 0.25 } as const;

/** Tunes generators one after the other, in programs that are compiled once. */
export interface Tuner {
  /**
   * The prior with a generator that makes the given images [count, C, H, W] likelier. @throws DivergedError when a loss is no longer finite.
   */
  tune(options: {
    readonly prior: Prior;
    readonly images: Float32Array;
    readonly seed: number;
    readonly work: Work;
  }): Promise<Prior>;
  release(): Promise<void>;
}

/**
 * Tuning as PPDG-MI does it (Peng et al., NeurIPS 2024, section 3.2): first latents from the middle of the space whose images come near
 * those given and that the discriminator finds natural, then the generator's weights, until the images of these latents are those given. A
 * likely place of the latent space then holds them.
 */
export async function openTuner(options: {
  readonly prior: Prior;
  /** The space whose rows the generator is given; `styles` where they are styles. */
  readonly space: SearchSpace;
  readonly styles: StyleSpace | undefined;
  /** Images that a generator is tuned to. */
  readonly count: number;
  readonly settings: TuningSettings;
  readonly seed: number;
}): Promise<Tuner> {
  const { prior, space, styles, count, settings: c, seed } = options;
  const { networks } = prior;
  const shape = [count, space.width];
  const middle = await middleOf(space, seed);
  const generator = trainable({ training: false, prefix: GENERATOR });
  const layer = rowsToImages(networks, styles);
  const pivots = parameter("pivots", shape);
  const noise = input("noise", shape);
  const aim = pyramid(input("images", [count, ...networks.image]));
  const distanceTo = (images: Value) => imageDistances[c.distance](pyramid(images), aim);

  const near = generator.apply(layer, add(pivots, noise));
  const distance = distanceTo(near);
  // Of a generator that was read from a file there is no discriminator.
  const judged = Object.keys(prior.state).some((name) => name.startsWith(DISCRIMINATOR));
  const loss = judged
    ? add(distance, mul(mean(softplus(neg(fixedPrior(prior).naturalness(near)))), c.naturalnessWeight))
    : distance;
  const inversionRate = rampedRate(c.inversionRate, c.inversionIterations, RAMPS);
  const inversion = { name: "inversion", optimizer: adam(), rate: inversionRate };
  const tuning = { name: "tuning", optimizer: adam(), rate: constantRate(c.tuningRate) };
  const tuned = distanceTo(generator.apply(layer, pivots));
  const weights = generator.trained();

  const held = layer.weights.map(({ name }) => `${GENERATOR}${name}`);
  const generatorOf = ({ state }: Prior): StateDict => Object.fromEntries(held.map((name) => [name, state[name]!]));
  const begin = (from: Prior): StateDict => ({
    ...generatorOf(from),
    pivots: tensor(
      Float32Array.from({ length: count * space.width }, (_, i) => middle.mean[i % space.width]!),
      shape,
    ),
    ...optimizerState(inversion, [pivots]),
    ...optimizerState(tuning, weights),
  });
  const store = createStore(begin(prior));
  const invert = await compile({
    outputs: { loss, distance },
    updates: optimizerUpdates(inversion, [pivots], grad(loss, [pivots])),
    store,
  });
  const tune = await compile({
    outputs: { loss: tuned },
    updates: optimizerUpdates(tuning, weights, grad(tuned, weights)),
    store,
  });

  return {
    async tune({ prior: from, images, seed: own, work }) {
      store.load(begin(from));
      const steps = (name: string, total: number, take: (step: number) => Promise<{ loss: number }>) =>
        runLoop({
          work,
          name: `ppdg-mi ${name}`,
          total,
          unit: "steps",
          store,
          open: async () => async (step) => {
            const row = await take(step);
            checkFinite(`ppdg-mi ${name}`, step, row.loss);
            if (step + 1 === total) await work.log({ training: `ppdg-mi ${name}`, step: total, ...row });
            return row;
          },
        });
      await steps("inversion", c.inversionIterations, async (step) => {
        const calm = Math.max(0, 1 - step / c.inversionIterations / CALM) ** 2;
        const numbers = random(own, "inversion", step).normals(count * space.width);
        const fed = { images, noise: numbers.map((x) => NOISE * calm * middle.deviation * x) };
        const { loss: now } = await invert.run(fed);
        return { loss: now!.data[0]! };
      });
      await steps("tuning", c.tuningIterations, async () => {
        const { loss: now } = await tune.run({ images });
        return { loss: now!.data[0]! };
      });
      return { ...from, state: { ...from.state, ...store.snapshot(held) } };
    },
    async release() {
      await invert.release();
      await tune.release();
    },
  };
}

/** The mean of random rows, and the root of their mean squared distance to it. */
async function middleOf(space: SearchSpace, seed: number): Promise<{ mean: Float64Array; deviation: number }> {
  const { width } = space;
  const rows = await space.draw(SAMPLES, seed, "middle");
  const mean = new Float64Array(width);
  for (const [i, x] of rows.entries()) mean[i % width]! += x / SAMPLES;
  const squared = rows.reduce((total, x, i) => total + (x - mean[i % width]!) ** 2, 0);
  return { mean, deviation: Math.sqrt(squared / SAMPLES) };
}
