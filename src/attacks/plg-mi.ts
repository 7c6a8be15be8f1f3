import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { parameter } from "../engine/graph.ts";
import { add, clamp, mul } from "../engine/ops/elementwise.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { constantRate } from "../engine/schedule.ts";
import { createStore } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { randomViews, type ViewRange } from "../models/random-views.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import { PLG_VIEWS } from "../priors/train-plg.ts";
import { alignedRows, alignSettings } from "./align.ts";
import { logAlignment } from "./alignment-log.ts";
import { defineAttack } from "./attack.ts";
import { candidatesFor, finalSelectionSettings, selectFinal } from "./final-selection.ts";
import { identityLossSchema } from "./identity-loss.ts";
import { identityRows } from "./lomma.ts";
import { labelInput, rowsFrom, runSearch } from "./search.ts";
import { labelsOf, startRows } from "./selection.ts";
import { surrogateSettings, surrogatesWanted } from "./surrogates.ts";

const config = z.strictObject({
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
      "start from the best of this many random latents of each identity; 0: from random ones, as the paper does",
    ),
  batch: z.int().positive().default(60).describe("latents optimised side by side"),
  ...surrogateSettings,
  ...alignSettings,
  ...finalSelectionSettings,
});

/**
 * PLG-MI: in a conditional GAN that was trained under the target's pseudo-labels, for each identity and restart one latent z, by Adam on
 * the max-margin loss of independent random views of G(z, y) (section 3.4). The GAN alone keeps images natural.
 */
export const plgMi = defineAttack({
  kind: "plg-mi",
  summary: "Adam on a max-margin loss in a conditional GAN whose classes are the target's own",
  paper:
    "Yuan et al., Pseudo Label-Guided Model Inversion Attack via Conditional Generative Adversarial Network, AAAI 2023",
  access: "white-box",
  prior: "plg",
  config,
  surrogates: surrogatesWanted,
  async run({ target, prior, space, surrogates, identities, perIdentity, config: c, seed, work }) {
    const { latent } = prior.networks;
    const candidates = candidatesFor("plg-mi", c.candidates, perIdentity);
    const labels = labelsOf(identities, candidates);
    const rows = labels.length;
    const batch = Math.min(c.batch, rows);
    const pooled = { target, space, identities, perIdentity: candidates, pool: c.pool, seed };
    const first = await startRows(pooled, "plg-mi");

    const latents = parameter("latents", [batch, latent]);
    const wanted = oneHot(labelInput(batch), target.classes);
    const images = fixedPrior(prior).synthesize(latents, wanted);
    const range: ViewRange = { ...PLG_VIEWS, scale: [c.crop, 1], jitter: c.jitter, flip: c.flip };
    const views = Array.from({ length: c.augmentations }, (_, i) => randomViews(images, range, `views${i}`));
    const judged = views.map((view, i) =>
      alignedRows(
        c.align,
        view.images,
        wanted,
        (seen, classes, copies) => identityRows(target, surrogates, c, seen, classes, copies),
        `align${i}`,
      ),
    );
    const losses = judged.map(({ rows: ofView }) => sum(ofView));
    // Adam takes the same steps for a mean over the batch; a sum keeps latents apart from how many others there are.
    const loss = losses.reduce((a, b) => add(a, b));
    const plan = { name: "optimizer", optimizer: adam(), rate: constantRate(c.rate) };
    const updates = optimizerUpdates(plan, [latents], grad(loss, [latents]));
    const moved = updates.latents!;
    const slots = optimizerState(plan, [latents]);
    const start = (from: number) => ({
      latents: tensor(rowsFrom(first, latent, from, batch), [batch, latent]),
      ...slots,
    });

    const found = await runSearch({
      work,
      target,
      name: "plg-mi",
      rows,
      batch,
      iterations: c.iterations,
      store: createStore(start(0)),
      start,
      results: ["latents"],
      outputs: { loss, identity: mul(loss, 1 / (batch * c.augmentations)) },
      updates: { ...updates, latents: c.clamp === undefined ? moved : clamp(moved, -c.clamp, c.clamp) },
      feeds: (from, iteration) => {
        const rng = random(seed, "plg-mi", from, iteration);
        const aligning = random(seed, "plg-mi", "align", from, iteration);
        const drawn = [...views.map((view) => view.draw(rng)), ...judged.map(({ draw }) => draw(aligning))];
        return Object.assign({}, ...drawn);
      },
      label: (row) => labels[row]!,
    });
    await logAlignment({
      ...{ work, target, name: "plg-mi", align: c.align, labels, seed },
      draw: fixedPrior(prior).synthesize,
      rowsOf: (seen, classes, copies) => identityRows(target, surrogates, c, seen, classes, copies),
      points: [
        { iteration: 0, rows: first },
        { iteration: c.iterations, rows: found.latents! },
      ],
    });
    const search = { target, space, identities, rows: found.latents!, perIdentity };
    return selectFinal({ ...search, views: c.views, seed, signal: work.signal });
  },
});
