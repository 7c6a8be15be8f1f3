import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { parameter } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { oneHot, reshape } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { rampedRate } from "../engine/schedule.ts";
import { createStore } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { randomViews } from "../models/random-views.ts";
import { forAllLayers } from "../priors/style-networks.ts";
import { fixedPrior, stylesOf } from "../priors/synthesize.ts";
import { defineAttack } from "./attack.ts";
import { candidatesFor, finalSelectionSettings, selectFinal } from "./final-selection.ts";
import { identityLossRows, identityLossSchema } from "./identity-loss.ts";
import { heldInPSpace, styleBounds } from "./p-space.ts";
import { labelInput, rowsFrom, runSearch } from "./search.ts";
import { labelsOf, selectInitial } from "./selection.ts";

const config = z.strictObject({
  iterations: z
    .int()
    .positive()
    .default(20000)
    .describe("20,000 in the released code, which stops sooner where the target is sure"),
  rate: z
    .number()
    .positive()
    .default(0.2)
    .describe("highest learning rate of Adam; it rises for 5 % of the iterations and falls over the last 25 %"),
  identityLoss: identityLossSchema,
  identityWeight: z.number().positive().default(10).describe("λ, the weight of the identity loss"),
  flip: z.number().min(0).max(1).default(0.5).describe("probability that the target sees the mirrored image"),
  pool: z.int().positive().default(100_000).describe("random styles among which the first ones are chosen"),
  truncation: z.number().min(0).max(1).default(0.7).describe("ψ of the random styles"),
  styles: z.enum(["w", "w+"]).default("w").describe("w: one style for all layers; w+: one for each layer"),
  deviations: z
    .number()
    .positive()
    .default(1)
    .describe("styles are held to so many standard deviations around the mean of random ones, in P-space"),
  samples: z.int().min(2).default(10_000).describe("random styles from which these means and deviations are taken"),
  batch: z.int().positive().default(8).describe("styles optimised side by side"),
  ...finalSelectionSettings,
});

/** Shares of the iterations in which the rate rises and falls (StyleGAN's projector). */
const RAMPS = { up: 0.05, down: 0.25 } as const;

/**
 * MIRROR, white-box: for each identity the random styles that the target is surest of, then Adam on its cross-entropy, every style being
 * held where random ones lie. That is measured in P-space, before the mapping network's last leaky ReLU, where they are nearly normal
 * (section IV-B). Dropout of styles is left out.
 */
export const mirror = defineAttack({
  kind: "mirror",
  summary: "Adam on styles of a StyleGAN2 that are held within the spread of random ones",
  paper: "An et al., MIRROR: Model Inversion for Deep Learning Network with High Fidelity, NDSS 2022",
  access: "white-box",
  prior: "stylegan",
  config,
  space: ({ styles, truncation }) => ({ styles, truncation }),
  async run({ target, prior, space, identities, perIdentity, config: c, seed, work }) {
    const candidates = candidatesFor("mirror", c.candidates, perIdentity);
    const labels = labelsOf(identities, candidates);
    const batch = Math.min(c.batch, labels.length);
    const pooled = { target, space, identities, perIdentity: candidates, pool: c.pool, seed };
    const first = await selectInitial(pooled);
    const bounds = styleBounds(await space.draw(c.samples, seed, "spread"), space.width, c.deviations);

    const { length, count } = stylesOf(prior.networks);
    const shape = [batch, space.width];
    const styles = parameter("styles", shape);
    const perLayer = c.styles === "w" ? forAllLayers(styles, count) : reshape(styles, [batch, count, length]);
    const view = randomViews(fixedPrior(prior).synthesizeStyles(perLayer), {
      scale: [1, 1],
      ratio: [1, 1],
      flip: c.flip,
    });
    const wanted = oneHot(labelInput(batch), target.classes);
    const identity = sum(identityLossRows(c.identityLoss, target.logits(view.images), wanted));
    const loss = mul(identity, c.identityWeight);
    const plan = { name: "optimizer", optimizer: adam(), rate: rampedRate(c.rate, c.iterations, RAMPS) };
    const updates = optimizerUpdates(plan, [styles], grad(loss, [styles]));
    const slots = optimizerState(plan, [styles]);
    const start = (from: number) => ({
      styles: tensor(rowsFrom(first.rows, space.width, from, batch), shape),
      ...slots,
    });
    const found = await runSearch({
      work,
      target,
      name: "mirror",
      rows: labels.length,
      batch,
      iterations: c.iterations,
      store: createStore(start(0)),
      start,
      results: ["styles"],
      outputs: { loss, identity: mul(identity, 1 / batch) },
      updates: { ...updates, styles: heldInPSpace(updates.styles!, bounds) },
      feeds: (from, iteration) => view.draw(random(seed, "mirror", from, iteration)),
      label: (row) => labels[row]!,
    });
    const search = { target, space, identities, rows: found.styles!, perIdentity };
    return selectFinal({ ...search, views: c.views, seed, signal: work.signal });
  },
});
