import { z } from "zod";
import { mul, sub } from "../engine/ops/elementwise.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import { createStore } from "../engine/store.ts";
import type { Prior } from "../priors/prior.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import type { WhiteBox } from "./access.ts";
import { alignedRows, alignSettings } from "./align.ts";
import { logAlignment } from "./alignment-log.ts";
import { defineAttack } from "./attack.ts";
import {
  candidatesFor,
  finalSelectionSettings,
  leastCandidates,
  selectFinal,
  selectionFlipSetting,
} from "./final-selection.ts";
import { identityLossSchema } from "./identity-loss.ts";
import { identityRows } from "./lomma.ts";
import { momentumSearch, momentumSettings, quickSearch } from "./momentum.ts";
import { labelInput, patienceSetting, runSearch } from "./search.ts";
import { labelsOf, startRows } from "./selection.ts";
import { type Surrogates, surrogateSettings, surrogatesWanted } from "./surrogates.ts";

const config = z.strictObject({
  iterations: z
    .int()
    .positive()
    .default(3000)
    .describe("1500 in the GMI paper, 2400 in KEDMI's and LOMMA's code, 3000 in TL-DMI's"),
  ...momentumSettings,
  identityLoss: identityLossSchema,
  identityWeight: z.number().positive().default(100).describe("λ, the weight of the identity loss"),
  clamp: z.number().positive().default(1).describe("latents are held to ± this"),
  pool: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "start from the best of this many random latents; 0: from random ones, as the paper does; they are ranked before they are held to ± clamp: with a small one the search starts from latents that are clipped",
    ),
  batch: z.int().positive().default(60).describe("latents optimised side by side"),
  ...patienceSetting,
  ...surrogateSettings,
  ...alignSettings,
  ...finalSelectionSettings,
  ...selectionFlipSetting,
});

/**
 * GMI: for each identity and restart one latent z, by gradient steps with look-ahead momentum on −D(G(z)) + λ·CE(T(G(z)), y).
 * Each restart is one reconstruction, unless more candidates are searched for than are asked for.
 */
export const gmi = defineAttack({
  kind: "gmi",
  summary: "gradient descent in the latent space of a public GAN; every restart gives one reconstruction",
  paper:
    "Zhang et al., The Secret Revealer: Generative Model-Inversion Attacks Against Deep Neural Networks, CVPR 2020",
  access: "white-box",
  prior: "dcgan",
  config,
  quick: quickSearch,
  surrogates: surrogatesWanted,
  least: leastCandidates,
  async run({ target, prior, space, surrogates, identities, perIdentity, config: c, seed, work }) {
    const candidates = candidatesFor("gmi", c.candidates, perIdentity);
    const labels = labelsOf(identities, candidates);
    const rows = labels.length;
    const batch = Math.min(c.batch, rows);
    const pooled = { target, space, identities, perIdentity: candidates, pool: c.pool, seed };
    const first = await startRows(pooled, "gmi");
    const { draw, start, ...iteration } = gmiIteration(target, prior, batch, c, surrogates);

    const found = await runSearch({
      work,
      target,
      name: "gmi",
      rows,
      batch,
      iterations: c.iterations,
      patience: c.patience,
      store: createStore(start(first, 0)),
      start: (from) => start(first, from),
      results: ["latents"],
      ...iteration,
      feeds: (from, step) => draw(random(seed, "gmi", "align", from, step)),
      label: (row) => labels[row]!,
    });
    await logAlignment({
      ...{ work, target, name: "gmi", align: c.align, labels, seed },
      draw: fixedPrior(prior).synthesize,
      rowsOf: (images, wanted, copies) => identityRows(target, surrogates, c, images, wanted, copies),
      points: [
        { iteration: 0, rows: first },
        { iteration: c.iterations, rows: found.latents! },
      ],
    });
    const search = { target, space, identities, rows: found.latents!, perIdentity };
    return selectFinal({ ...search, views: c.views, flip: c.flip, seed, signal: work.signal });
  },
});

/**
 * One iteration over a store's `latents` and `velocity`, both [batch, latent], for the classes that are fed as `labels`; `draw` gives what
 * else it is fed, `start` the store's first values for rows of latents.
 */
export function gmiIteration(
  target: WhiteBox,
  prior: Prior,
  batch: number,
  c: z.output<typeof config>,
  surrogates?: Surrogates,
) {
  const { latents, start, step } = momentumSearch(batch, prior.networks.latent, c);
  const { synthesize, naturalness } = fixedPrior(prior);
  const images = synthesize(latents);
  const wanted = oneHot(labelInput(batch), target.classes);
  const { rows, draw } = alignedRows(c.align, images, wanted, (seen, classes, copies) =>
    identityRows(target, surrogates, c, seen, classes, copies),
  );
  const identity = sum(rows);
  const natural = sum(naturalness(images));
  const { loss, updates } = step(sub(mul(identity, c.identityWeight), natural));
  return {
    outputs: { loss, identity: mul(identity, 1 / batch), naturalness: mul(natural, 1 / batch) },
    updates,
    start,
    draw,
  };
}
