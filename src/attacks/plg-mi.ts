import { z } from "zod";
import type { Value } from "../engine/graph.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import { alignedRows, alignSettings } from "./align.ts";
import { logAlignment } from "./alignment-log.ts";
import { defineAttack } from "./attack.ts";
import { conditionalSearch, conditionalSearchSettings } from "./conditional-search.ts";
import { candidatesFor, finalSelectionSettings, leastCandidates, selectFinal } from "./final-selection.ts";
import { identityRows } from "./lomma.ts";
import { labelsOf, startRows } from "./selection.ts";
import { surrogateSettings, surrogatesWanted } from "./surrogates.ts";

const config = z.strictObject({
  ...conditionalSearchSettings,
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
  quick: { iterations: 60, rate: 0.03, clamp: 2, augmentations: 3, pool: 100, batch: 50, candidates: 4 },
  surrogates: surrogatesWanted,
  least: leastCandidates,
  async run({ target, prior, space, surrogates, identities, perIdentity, config: c, seed, work }) {
    const candidates = candidatesFor("plg-mi", c.candidates, perIdentity);
    const pooled = { target, space, identities, perIdentity: candidates, pool: c.pool, seed };
    const labels = labelsOf(identities, candidates);
    const first = await startRows(pooled, "plg-mi");
    const rowsOf = (seen: Value, wanted: Value, copies: number) =>
      identityRows(target, surrogates, c, seen, wanted, copies);
    const rows = await conditionalSearch({
      name: "plg-mi",
      work,
      target,
      prior,
      classes: target.classes,
      labels,
      first,
      config: c,
      judge: (view, wanted, name) => alignedRows(c.align, view, wanted, rowsOf, name),
      seed,
    });
    await logAlignment({
      ...{ work, target, name: "plg-mi", align: c.align, labels, seed },
      draw: fixedPrior(prior).synthesize,
      rowsOf,
      points: [
        { iteration: 0, rows: first },
        { iteration: c.iterations, rows },
      ],
    });
    const search = { target, space, identities, rows, perIdentity };
    return selectFinal({ ...search, views: c.views, flip: c.flip, seed, signal: work.signal });
  },
});
