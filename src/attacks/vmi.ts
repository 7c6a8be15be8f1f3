import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { input, parameter, type Value } from "../engine/graph.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { broadcastTo, concat, oneHot, reshape, transpose } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates, sgd } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { constantRate } from "../engine/schedule.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { fixedPrior, stylesOf } from "../priors/synthesize.ts";
import { defineAttack } from "./attack.ts";
import { candidatesFor, finalSelectionSettings, selectFinal, selectionFlipSetting } from "./final-selection.ts";
import { identityLossRows, identityLossSchema } from "./identity-loss.ts";
import { flows, gaussians } from "./latent-distributions.ts";
import { labelInput, rowsFrom, runSearch } from "./search.ts";
import { selectInitial } from "./selection.ts";
import { searchSpace } from "./space.ts";

const flow = z.strictObject({
  layers: z.int().positive().default(10).describe("steps of permutation, coupling, scale and shift"),
  hidden: z.int().positive().default(100).describe("width of the couplings' networks"),
  coupling: z
    .enum(["additive", "affine"])
    .default("additive")
    .describe("additive: a coupling shifts numbers; affine: it scales them too"),
});

const config = z.strictObject({
  iterations: z
    .int()
    .positive()
    .default(4867)
    .describe("steps of each identity (released code: 31 epochs of 10,000 draws)"),
  samples: z.int().positive().default(64).describe("draws of each identity a step"),
  optimizer: z.enum(["sgd", "adam"]).default("sgd").describe("sgd: with momentum 0.9, as in the paper"),
  rate: z.number().positive().default(1e-4).describe("learning rate"),
  distribution: z
    .enum(["flow", "gaussian"])
    .default("flow")
    .describe(
      "what is learnt for each style of an identity: a normalizing flow, or a Gaussian of independent numbers; each style's is drawn from noise of its own, where the released code takes one z for all",
    ),
  flow: flow.prefault({}),
  identityStyles: z
    .int()
    .positive()
    .default(10)
    .describe("the first styles of an image, which show who it is; those past them stay random"),
  identityLoss: identityLossSchema,
  klWeight: z
    .number()
    .min(0)
    .default(1e-3)
    .describe("λ, the weight of KL(q ‖ N(0, I)), in nats, averaged over styles, beside the mean identity loss"),
  initialLogVariance: z.number().default(0).describe("log σ² of q at the start; 0: that of the prior"),
  pool: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "start q around the best of this many random latents, by their images without truncation; 0: from the prior, as the paper does",
    ),
  truncation: z.number().min(0).max(1).default(1).describe("ψ of all styles; 1 leaves them alone, as the paper does"),
  batch: z.int().positive().default(1).describe("identities optimised side by side"),
  ...finalSelectionSettings,
  ...selectionFlipSetting,
});

const MOMENTUM = 0.9;

/**
 * VMI: for each identity a distribution over latents of a StyleGAN2, a factor for each style of an image, by gradient steps on
 * E[identity loss] + λ·KL(q ‖ prior), the variational objective (sections 3 and 4). Latents, not styles, since their prior is normal. The
 * reconstructions are styles of draws. The released flow has three levels, of which half of the numbers leave each; here all go all the way.
 * Each style of an identity is drawn from noise of its own, where the released code takes one z for all of them.
 */
export const vmi = defineAttack({
  kind: "vmi",
  summary: "learns a distribution over the styles of each identity in a StyleGAN2, near the prior",
  paper: "Wang et al., Variational Model Inversion Attacks, NeurIPS 2021",
  access: "white-box",
  prior: "stylegan",
  config,
  quick: {
    samples: 4,
    iterations: 100,
    optimizer: "adam",
    rate: 0.02,
    klWeight: 0.01,
    initialLogVariance: -1,
    pool: 500,
    truncation: 0.7,
    flow: { layers: 4, hidden: 32 },
    batch: 5,
    candidates: 6,
  },
  space: ({ truncation }) => ({ styles: "w+", truncation }),
  least: (_, perIdentity) => ({ candidates: perIdentity }),
  async run({ target, prior, space, identities, perIdentity, config: c, seed, work }) {
    const { latent } = prior.networks;
    const { length, count } = stylesOf(prior.networks);
    const own = Math.min(c.identityStyles, count);
    const candidates = candidatesFor("vmi", c.candidates, perIdentity);
    const rows = identities.length;
    const batch = Math.min(c.batch, rows);
    const means = c.pool > 0 ? await bestLatents() : new Float32Array(rows * latent);

    const lead = [batch, own];
    const q = c.distribution === "flow" ? flows(lead, { latent, ...c.flow, seed }) : gaussians(lead, latent);
    const { style, synthesizeStyles } = fixedPrior(prior);
    /** Noise [batch, own, n, latent] and the latents of the other styles [batch, n, latent] to styles [batch·n, count, length]. */
    const stylesOfDraws = (noise: Value, others: Value): Value => {
      const n = noise.shape[2]!;
      const mapped = style(reshape(q.drawn(noise), [batch * own * n, latent]), c.truncation);
      const theirs = reshape(transpose(reshape(mapped, [batch, own, n, length]), [0, 2, 1, 3]), [
        batch * n,
        own,
        length,
      ]);
      if (own === count) return theirs;
      const rest = reshape(style(reshape(others, [batch * n, latent]), c.truncation), [batch * n, 1, length]);
      return concat([theirs, broadcastTo(rest, [batch * n, count - own, length])], 1);
    };

    const noise = input("noise", [...lead, c.samples, latent]);
    const others = input("others", [batch, c.samples, latent]);
    const images = synthesizeStyles(stylesOfDraws(noise, others));
    const wanted = oneHot(labelInput(batch * c.samples), target.classes);
    const losses = identityLossRows(c.identityLoss, target.logits(images), wanted);
    const identity = mean(losses);
    const divergence = mean(q.divergence(noise));
    // Times the batch: a sum keeps identities apart from how many others there are.
    const loss = mul(add(identity, mul(divergence, c.klWeight)), batch);
    const optimizer = c.optimizer === "sgd" ? sgd({ momentum: MOMENTUM }) : adam();
    const plan = { name: "optimizer", optimizer, rate: constantRate(c.rate) };
    const slots = optimizerState(plan, q.variables);

    const finalShape = [...lead, candidates, latent];
    const restShape = [batch, candidates, latent];
    const start = (from: number): StateDict => {
      const rng = random(seed, "vmi", "draws", from);
      const perStyle = new Float32Array(batch * own * latent);
      const theirs = rowsFrom(means, latent, from, batch);
      for (let i = 0; i < batch * own; i++) {
        const row = Math.floor(i / own);
        perStyle.set(theirs.subarray(row * latent, (row + 1) * latent), i * latent);
      }
      return {
        ...q.start(perStyle, c.initialLogVariance),
        ...slots,
        "draws/noise": tensor(rng.normals(batch * own * candidates * latent), finalShape),
        "draws/others": tensor(rng.normals(batch * candidates * latent), restShape),
        styles: filled([batch, candidates * space.width], 0),
      };
    };
    const draws = stylesOfDraws(parameter("draws/noise", finalShape), parameter("draws/others", restShape));

    const found = await runSearch({
      work,
      target,
      name: "vmi",
      rows,
      batch,
      imagesPerRow: c.samples,
      iterations: c.iterations,
      store: createStore(start(0)),
      start,
      outputs: { loss, identity, divergence },
      updates: optimizerUpdates(plan, q.variables, grad(loss, q.variables)),
      finish: { styles: reshape(draws, [batch, candidates * space.width]) },
      results: ["styles"],
      variables: q.variables.map((v) => v.leaf!.name),
      feeds(from, iteration) {
        const rng = random(seed, "vmi", from, iteration);
        return {
          noise: rng.normals(batch * own * c.samples * latent),
          others: rng.normals(batch * c.samples * latent),
        };
      },
      label: (row) => identities[row]!,
    });
    const selection = { target, space, identities, rows: found.styles!, perIdentity };
    return selectFinal({ ...selection, views: c.views, flip: c.flip, seed, signal: work.signal });

    /** Of each identity the random latent whose image the target is surest of, [rows, latent]. */
    async function bestLatents(): Promise<Float32Array> {
      const latents = searchSpace(prior, target.image);
      const chosen = await selectInitial({ target, space: latents, identities, perIdentity: 1, pool: c.pool, seed });
      await latents.release();
      return chosen.rows;
    }
  },
});
