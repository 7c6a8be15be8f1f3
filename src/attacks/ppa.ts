import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { parameter } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { oneHot, reshape } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { constantRate } from "../engine/schedule.ts";
import { createStore } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { randomViews } from "../models/random-views.ts";
import { forAllLayers } from "../priors/style-networks.ts";
import { fixedPrior, stylesOf } from "../priors/synthesize.ts";
import { defineAttack } from "./attack.ts";
import { candidatesFor, finalSelectionSettings, selectFinal } from "./final-selection.ts";
import { identityLossRows, identityLossSchema } from "./identity-loss.ts";
import { labelInput, rowsFrom, runSearch } from "./search.ts";
import { labelsOf, selectInitial } from "./selection.ts";

const config = z.strictObject({
  iterations: z.int().positive().default(50).describe("50 for FaceScrub, 70 for CelebA, 100 for dogs"),
  rate: z.number().positive().default(0.005).describe("learning rate of Adam, β (0.1, 0.1)"),
  identityLoss: identityLossSchema.unwrap().default("poincare"),
  pool: z
    .int()
    .positive()
    .default(2000)
    .describe("random styles among which the first candidates are chosen: 2000 for FaceScrub, 5000 for CelebA"),
  truncation: z.number().min(0).max(1).default(0.5).describe("ψ of the random styles"),
  styles: z.enum(["w", "w+"]).default("w").describe("w: one style for all layers; w+: one for each layer"),
  crop: z.number().gt(0).max(1).default(0.9).describe("least share of the image's area in a view; 0.75 for dogs"),
  batch: z.int().positive().default(20).describe("candidates optimised side by side"),
  candidates: finalSelectionSettings.candidates
    .unwrap()
    .default(200)
    .describe(
      "styles found for each identity, of which those are kept that the target recognises best over random views",
    ),
  views: finalSelectionSettings.views.unwrap().default(100).describe("random views of each candidate"),
});

/** Half of a moving average is gone after one step, so that Adam forgets the candidate's far past (released code). */
const BETAS = [0.1, 0.1] as const;

/**
 * PPA: in a StyleGAN2 that knows nothing of the target, for each identity the random styles whose images the target takes for it, mirrored
 * or not; then Adam on the Poincaré loss of a random crop of each; of what it ends with, what the target recognises from many views
 * (sections 3.2 to 3.4).
 */
export const ppa = defineAttack({
  kind: "ppa",
  summary: "Adam on styles of a StyleGAN2, between a first selection of candidates and a last one",
  paper: "Struppek et al., Plug & Play Attacks: Towards Robust and Flexible Model Inversion Attacks, ICML 2022",
  access: "white-box",
  prior: "stylegan",
  config,
  space: ({ styles, truncation }) => ({ styles, truncation }),
  async run({ target, prior, space, identities, perIdentity, config: c, seed, work }) {
    const candidates = candidatesFor("ppa", c.candidates, perIdentity);
    const labels = labelsOf(identities, candidates);
    const batch = Math.min(c.batch, labels.length);
    const pooled = { target, space, identities, perIdentity: candidates, pool: c.pool, seed };
    const first = await selectInitial({ ...pooled, mirrored: true });

    const { length, count } = stylesOf(prior.networks);
    const shape = [batch, space.width];
    const styles = parameter("styles", shape);
    const perLayer = c.styles === "w" ? forAllLayers(styles, count) : reshape(styles, [batch, count, length]);
    const view = randomViews(fixedPrior(prior).synthesizeStyles(perLayer), {
      scale: [c.crop, 1],
      ratio: [1, 1],
      flip: 0,
    });
    const wanted = oneHot(labelInput(batch), target.classes);
    // Adam takes the same steps for a mean over the batch; a sum keeps candidates apart from how many others there are.
    const loss = sum(identityLossRows(c.identityLoss, target.logits(view.images), wanted));
    const plan = { name: "optimizer", optimizer: adam({ betas: BETAS }), rate: constantRate(c.rate) };
    const slots = optimizerState(plan, [styles]);
    const start = (from: number) => ({
      styles: tensor(rowsFrom(first.rows, space.width, from, batch), shape),
      ...slots,
    });
    const found = await runSearch({
      work,
      target,
      name: "ppa",
      rows: labels.length,
      batch,
      iterations: c.iterations,
      store: createStore(start(0)),
      start,
      results: ["styles"],
      outputs: { loss, identity: mul(loss, 1 / batch) },
      updates: optimizerUpdates(plan, [styles], grad(loss, [styles])),
      feeds: (from, iteration) => view.draw(random(seed, "ppa", from, iteration)),
      label: (row) => labels[row]!,
    });
    const search = { target, space, identities, rows: found.styles!, perIdentity };
    return selectFinal({ ...search, views: c.views, seed, signal: work.signal });
  },
});
