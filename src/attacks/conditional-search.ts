import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { parameter, type Value } from "../engine/graph.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { type Rng, random } from "../engine/random.ts";
import { constantRate } from "../engine/schedule.ts";
import { createStore } from "../engine/store.ts";
import { type TensorData, tensor } from "../engine/tensor.ts";
import type { Work } from "../engine/work.ts";
import { randomViews, type ViewRange } from "../models/random-views.ts";
import type { Prior } from "../priors/prior.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import { PLG_VIEWS } from "../priors/train-plg.ts";
import type { AlignedRows } from "./align.ts";
import { identityLossSchema } from "./identity-loss.ts";
import { labelInput, patienceSetting, rowsFrom, runSearch, type Search } from "./search.ts";

/** Settings of an attack that searches so. */
export const conditionalSearchSettings = {
  iterations: z.int().positive().default(600),
  rate: z.number().positive().default(0.1).describe("learning rate of Adam"),
  identityLoss: identityLossSchema
    .unwrap()
    .default("max-margin")
    .describe("the loss whose sum over views is minimised"),
  augmentations: z
    .int()
    .positive()
    .default(2)
    .describe("random views of each image a step: crops, brightness, contrast, mirror images"),
  crop: z.number().gt(0).max(1).default(0.8).describe("least share of the image's area in a view; 1: the whole image"),
  jitter: z
    .number()
    .min(0)
    .lt(1)
    .default(0.2)
    .describe("brightness and contrast of a view are times a factor from 1 ± this"),
  flip: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("probability of a mirrored view; 0 for images whose mirror image shows another class"),
  clamp: z
    .number()
    .positive()
    .optional()
    .describe("latents are held to ± this; free where it is left out, as in the paper"),
  pool: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "start from the best of this many random latents of each identity; 0: from random ones, as the paper does; they are ranked before they are held to ± clamp: with a small one the search starts from latents that are clipped",
    ),
  batch: z.int().positive().default(60).describe("latents optimised side by side"),
  ...patienceSetting,
};

type Settings = z.output<z.ZodObject<typeof conditionalSearchSettings>>;

/** How the target sees an image in such a search. */
export function viewRange({ crop, jitter, flip }: Pick<Settings, "crop" | "jitter" | "flip">): ViewRange {
  return { ...PLG_VIEWS, scale: [crop, 1], jitter, flip };
}

/** One iteration as a graph: latents [batch, latent] of the store under `latents`, the attacked classes [batch] fed as `labels`. */
export function conditionalIteration(options: {
  readonly prior: Prior;
  readonly classes: number;
  readonly batch: number;
  readonly config: Settings;
  /** The identity loss of each view [N, C, H, W] for one-hot classes [N, classes]; `name` keeps what views are fed apart. */
  readonly judge: (view: Value, wanted: Value, name: string) => AlignedRows;
}) {
  const { prior, classes, batch, config: c, judge } = options;
  const latents = parameter("latents", [batch, prior.networks.latent]);
  const wanted = oneHot(labelInput(batch), classes);
  const images = fixedPrior(prior).synthesize(latents, wanted);
  const views = Array.from({ length: c.augmentations }, (_, i) => randomViews(images, viewRange(c), `views${i}`));
  const judged = views.map((view, i) => judge(view.images, wanted, `align${i}`));
  const losses = judged.map(({ rows: ofView }) => sum(ofView));
  // Adam takes the same steps for a mean over the batch; a sum keeps latents apart from how many others there are.
  const loss = losses.reduce((a, b) => add(a, b));
  const plan = { name: "optimizer", optimizer: adam(), rate: constantRate(c.rate) };
  const updates = optimizerUpdates(plan, [latents], grad(loss, [latents]));
  const moved = updates.latents!;
  return {
    outputs: { loss, identity: mul(loss, 1 / (batch * c.augmentations)) },
    updates: { ...updates, latents: c.clamp === undefined ? moved : clamp(moved, -c.clamp, c.clamp) },
    slots: optimizerState(plan, [latents]),
    /** What is fed of random views, and of copies of them. */
    draw: (rng: Rng, aligning: Rng): Readonly<Record<string, TensorData>> =>
      Object.assign({}, ...views.map((view) => view.draw(rng)), ...judged.map(({ draw }) => draw(aligning))),
  };
}

/**
 * PLG-MI's search in a conditional GAN (Yuan et al., AAAI 2023, section 3.4): one latent z a row, by Adam on the identity loss of
 * independent random views of G(z, y). Gives the latents [rows, latent].
 */
export async function conditionalSearch(options: {
  readonly name: string;
  readonly work: Work;
  readonly target: Search["target"];
  readonly prior: Prior;
  readonly classes: number;
  /** Each row's class. */
  readonly labels: Int32Array;
  /** Where rows start, [rows, latent]. */
  readonly first: Float32Array;
  readonly config: Settings;
  /** The identity loss of each view [N, C, H, W] for one-hot classes [N, classes]; `name` keeps what views are fed apart. */
  readonly judge: (view: Value, wanted: Value, name: string) => AlignedRows;
  readonly seed: number;
}): Promise<Float32Array> {
  const { name, work, target, prior, classes, labels, first, config: c, judge, seed } = options;
  const { latent } = prior.networks;
  const rows = labels.length;
  const batch = Math.min(c.batch, rows);
  const { outputs, updates, slots, draw } = conditionalIteration({ prior, classes, batch, config: c, judge });
  const start = (from: number) => ({
    latents: tensor(rowsFrom(first, latent, from, batch), [batch, latent]),
    ...slots,
  });
  const found = await runSearch({
    work,
    target,
    name,
    rows,
    batch,
    iterations: c.iterations,
    patience: c.patience,
    store: createStore(start(0)),
    start,
    results: ["latents"],
    outputs,
    updates,
    feeds: (from, iteration) => draw(random(seed, name, from, iteration), random(seed, name, "align", from, iteration)),
    label: (row) => labels[row]!,
  });
  return found.latents!;
}
