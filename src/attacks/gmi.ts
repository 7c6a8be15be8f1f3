import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { parameter } from "../engine/graph.ts";
import { add, clamp, mul, sub } from "../engine/ops/elementwise.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { createStore } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import type { Prior } from "../priors/prior.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import type { WhiteBox } from "./access.ts";
import { defineAttack } from "./attack.ts";
import { candidatesFor, finalSelectionSettings, selectFinal } from "./final-selection.ts";
import { identityLossSchema } from "./identity-loss.ts";
import { identityRows } from "./lomma.ts";
import { labelInput, patienceSetting, rowsFrom, runSearch } from "./search.ts";
import { labelsOf, startRows } from "./selection.ts";
import { type Surrogates, surrogateSettings, surrogatesWanted } from "./surrogates.ts";

const config = z.strictObject({
  iterations: z
    .int()
    .positive()
    .default(3000)
    .describe("1500 in the GMI paper, 2400 in KEDMI's and LOMMA's code, 3000 in TL-DMI's"),
  rate: z
    .number()
    .positive()
    .default(0.02)
    .describe("step size of the momentum update, for a loss that is a mean over 60 latents"),
  momentum: z.number().min(0).lt(1).default(0.9),
  identityLoss: identityLossSchema,
  identityWeight: z.number().positive().default(100).describe("λ, the weight of the identity loss"),
  clamp: z.number().positive().default(1).describe("latents are held to ± this"),
  pool: z
    .int()
    .min(0)
    .default(0)
    .describe("start from the best of this many random latents; 0: from random ones, as the paper does"),
  batch: z.int().positive().default(60).describe("latents optimised side by side"),
  ...patienceSetting,
  ...surrogateSettings,
  ...finalSelectionSettings,
});

/** The released code averages its loss over batches of 60 identities; a step size means the same here whatever the batch. */
const REFERENCE_BATCH = 60;

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
  quick: {
    iterations: 40,
    rate: 0.03,
    identityLoss: "max-margin",
    identityWeight: 20,
    pool: 1000,
    batch: 50,
    clamp: 3,
  },
  surrogates: surrogatesWanted,
  async run({ target, prior, space, surrogates, identities, perIdentity, config: c, seed, work }) {
    const { latent } = prior.networks;
    const candidates = candidatesFor("gmi", c.candidates, perIdentity);
    const labels = labelsOf(identities, candidates);
    const rows = labels.length;
    const batch = Math.min(c.batch, rows);
    const pooled = { target, space, identities, perIdentity: candidates, pool: c.pool, seed };
    const first = await startRows(pooled, "gmi");

    const found = await runSearch({
      work,
      target,
      name: "gmi",
      rows,
      batch,
      iterations: c.iterations,
      patience: c.patience,
      store: createStore({ latents: filled([batch, latent], 0), velocity: filled([batch, latent], 0) }),
      start: (from) => ({
        latents: tensor(rowsFrom(first, latent, from, batch), [batch, latent]),
        velocity: filled([batch, latent], 0),
      }),
      results: ["latents"],
      ...gmiIteration(target, prior, batch, c, surrogates),
      feeds: () => ({}),
      label: (row) => labels[row]!,
    });
    const { views } = c;
    const search = { target, space, identities, rows: found.latents!, perIdentity };
    return selectFinal({ ...search, views, seed, signal: work.signal });
  },
});

/** One iteration over a store's `latents` and `velocity`, both [batch, latent], for the classes that are fed as `labels`. */
export function gmiIteration(
  target: WhiteBox,
  prior: Prior,
  batch: number,
  c: z.output<typeof config>,
  surrogates?: Surrogates,
) {
  const shape = [batch, prior.networks.latent];
  const latents = parameter("latents", shape);
  const velocity = parameter("velocity", shape);
  const { synthesize, naturalness } = fixedPrior(prior);
  const images = synthesize(latents);
  const wanted = oneHot(labelInput(batch), target.classes);
  const identity = sum(identityRows(target, surrogates, c, images, wanted));
  const natural = sum(naturalness(images));
  const loss = mul(sub(mul(identity, c.identityWeight), natural), 1 / REFERENCE_BATCH);
  const [g] = grad(loss, [latents]);
  // v' = m·v − rate·g;  z' = z − m·v + (1 + m)·v'  (released code), then clamped.
  const next = sub(mul(velocity, c.momentum), mul(g!, c.rate));
  const moved = add(sub(latents, mul(velocity, c.momentum)), mul(next, 1 + c.momentum));
  return {
    outputs: { loss, identity: mul(identity, 1 / batch), naturalness: mul(natural, 1 / batch) },
    updates: { latents: clamp(moved, -c.clamp, c.clamp), velocity: next },
  };
}
