import { z } from "zod";
import { add, mul } from "../engine/ops/elementwise.ts";
import { copiedClasses } from "../priors/synthesize.ts";
import { alignedRows } from "./align.ts";
import { defineAttack } from "./attack.ts";
import { conditionalSearch, conditionalSearchSettings } from "./conditional-search.ts";
import { candidatesFor, finalSelectionSettings, leastCandidates, selectFinal } from "./final-selection.ts";
import { identityLossRows } from "./identity-loss.ts";
import { labelSurrogateSettings } from "./label-surrogates.ts";
import { labelsOf, startRows } from "./selection.ts";
import { standIn } from "./stand-in.ts";

const config = z.strictObject({
  ...conditionalSearchSettings,
  surrogate: z
    .enum(["ensemble", "discriminator"])
    .default("ensemble")
    .describe(
      "whose gradients are followed: networks that learn the target's labels of generated images (S_en), or the classes of the prior's discriminator, without further queries (C∘D)",
    ),
  ensemble: labelSurrogateSettings.prefault({}).describe("the networks of `surrogate: ensemble`"),
  ...finalSelectionSettings,
});

/**
 * LOKT: what the target knows is transferred to networks of the attacker by labels alone, first to the discriminator of a GAN (T-ACGAN),
 * then to networks that learn from its images; PLG-MI's white-box search then runs on these. The loss is the mean over the networks.
 * The search itself asks the target nothing: its queries are those of the training.
 */
export const lokt = defineAttack({
  kind: "lokt",
  summary: "copies the target from labels of generated images, and searches with the copies' gradients",
  paper: "Nguyen et al., Label-Only Model Inversion Attacks via Knowledge Transfer, NeurIPS 2023",
  access: "labels",
  prior: "tacgan",
  config,
  quick: {
    iterations: 60,
    augmentations: 1,
    pool: 100,
    batch: 50,
    candidates: 4,
    ensemble: {
      models: [{ kind: "resnet18", width: 16 }],
      perClass: 150,
      publicImages: 12_000,
      training: { epochs: 5, batch: 64, rate: 0.05, weightDecay: 5e-4, augment: { flip: 0.5, crop: 4 } },
    },
  },
  labelSurrogates: ({ surrogate, ensemble }) => (surrogate === "ensemble" ? ensemble : undefined),
  least: leastCandidates,
  async run({ target, prior, space, surrogates, identities, perIdentity, config: c, seed, work }) {
    const candidates = candidatesFor("lokt", c.candidates, perIdentity);
    const copies = standIn(surrogates?.students ?? [copiedClasses(prior)], target);
    const pooled = { target: copies, space, identities, perIdentity: candidates, pool: c.pool, seed };
    try {
      const rows = await conditionalSearch({
        name: "lokt",
        work,
        target: copies,
        prior,
        classes: target.classes,
        labels: labelsOf(identities, candidates),
        first: await startRows(pooled, "lokt"),
        config: c,
        judge: (view, wanted) =>
          alignedRows(undefined, view, wanted, (images, classes) =>
            mul(
              copies.each
                .map((copy) => identityLossRows(c.identityLoss, copy(images), classes))
                .reduce((a, b) => add(a, b)),
              1 / copies.each.length,
            ),
          ),
        seed,
      });
      const search = { target: copies, space, identities, rows, perIdentity };
      return await selectFinal({ ...search, views: c.views, flip: c.flip, seed, signal: work.signal });
    } finally {
      await copies.release();
    }
  },
});
