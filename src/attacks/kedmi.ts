import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { input, parameter, type Value } from "../engine/graph.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { add, exp, mul, sub } from "../engine/ops/elementwise.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { constantRate } from "../engine/schedule.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import type { Prior } from "../priors/prior.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import type { WhiteBox } from "./access.ts";
import { alignedRows, alignSettings } from "./align.ts";
import { logAlignment } from "./alignment-log.ts";
import { defineAttack } from "./attack.ts";
import { candidatesFor, finalSelectionSettings, selectFinal, selectionFlipSetting } from "./final-selection.ts";
import { identityLossSchema } from "./identity-loss.ts";
import { identityRows } from "./lomma.ts";
import { quickSearch } from "./momentum.ts";
import { labelInput, patienceSetting, rowsFrom, runSearch } from "./search.ts";
import { selectInitial } from "./selection.ts";
import { type Surrogates, surrogateSettings, surrogatesWanted } from "./surrogates.ts";

const config = z.strictObject({
  iterations: z.int().positive().default(3000).describe("2400 in KEDMI's and LOMMA's code, 3000 in TL-DMI's"),
  rate: z.number().positive().default(0.02).describe("learning rate of Adam"),
  identityLoss: identityLossSchema,
  identityWeight: z.number().positive().default(100).describe("λ, the weight of the identity loss"),
  initialLogVariance: z
    .number()
    .default(0)
    .describe("log σ² at the start: 1 in KEDMI's code, 0 in LOMMA's and TL-DMI's"),
  clamp: z.number().positive().default(1).describe("latents are held to ± this before the generator"),
  pool: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "start μ from the best of this many random latents; 0: from zero, as the paper does; they are ranked before they are held to ± clamp, as draws around μ are",
    ),
  batch: z.int().positive().default(60).describe("identities optimised side by side"),
  ...patienceSetting,
  ...surrogateSettings,
  ...alignSettings,
  ...finalSelectionSettings,
  ...selectionFlipSetting,
});

/**
 * KEDMI's distributional recovery: for each identity a Gaussian over latents, by Adam on its mean and log variance; a fresh latent is
 * drawn from it at each step. The reconstructions are draws from the learned Gaussians.
 */
export const kedmi = defineAttack({
  kind: "kedmi",
  summary: "learns a Gaussian over latents for each identity, in a GAN that was trained against the target",
  paper: "Chen et al., Knowledge-Enriched Distributional Model Inversion Attacks, ICCV 2021",
  access: "white-box",
  prior: "kedmi",
  config,
  quick: {
    ...quickSearch,
    iterations: 80,
    initialLogVariance: -2,
    candidates: 10,
  },
  surrogates: surrogatesWanted,
  least: (_, perIdentity) => ({ candidates: perIdentity }),
  async run({ target, prior, space, surrogates, identities, perIdentity, config: c, seed, work }) {
    const { latent } = prior.networks;
    const candidates = candidatesFor("kedmi", c.candidates, perIdentity);
    const rows = identities.length;
    const batch = Math.min(c.batch, rows);
    const means =
      c.pool > 0
        ? (await selectInitial({ target, space, identities, perIdentity: 1, pool: c.pool, seed })).rows
        : new Float32Array(rows * latent);

    const { slots, draw, ...iteration } = kedmiIteration(target, prior, batch, c, surrogates);
    const initial = (from: number): StateDict => ({
      mu: tensor(rowsFrom(means, latent, from, batch), [batch, latent]),
      logVariance: filled([batch, latent], c.initialLogVariance),
      ...slots,
    });

    const found = await runSearch({
      work,
      target,
      name: "kedmi",
      rows,
      batch,
      iterations: c.iterations,
      patience: c.patience,
      store: createStore(initial(0)),
      start: initial,
      results: ["mu", "logVariance"],
      ...iteration,
      feeds: (from, step) => ({
        noise: random(seed, "kedmi", from, step).normals(batch * latent),
        ...draw(random(seed, "kedmi", "align", from, step)),
      }),
      label: (row) => identities[row]!,
    });
    await logAlignment({
      ...{ work, target, name: "kedmi", align: c.align, labels: Int32Array.from(identities), seed },
      draw: fixedPrior(prior).synthesize,
      rowsOf: (images, wanted, copies) => identityRows(target, surrogates, c, images, wanted, copies),
      points: [
        { iteration: 0, rows: means },
        { iteration: c.iterations, rows: found.mu! },
      ],
    });
    const drawnRows = drawReconstructions(found.mu!, found.logVariance!, latent, candidates, c.clamp, seed);
    const search = { target, space, identities, rows: drawnRows, perIdentity };
    return selectFinal({ ...search, views: c.views, flip: c.flip, seed, signal: work.signal });
  },
});

/**
 * One iteration over a store's `mu` and `logVariance`, both [batch, latent], and Adam's `slots` for them; the classes are fed as
 * `labels`, the draws as `noise` [batch, latent]; `draw` gives what else it is fed.
 */
export function kedmiIteration(
  target: WhiteBox,
  prior: Prior,
  batch: number,
  c: z.output<typeof config>,
  surrogates?: Surrogates,
) {
  const shape = [batch, prior.networks.latent];
  const mu = parameter("mu", shape);
  const logVariance = parameter("logVariance", shape);
  const noise = input("noise", shape);
  const { synthesize, naturalness } = fixedPrior(prior);
  const images = synthesize(drawn(mu, logVariance, noise, c.clamp));
  const wanted = oneHot(labelInput(batch), target.classes);
  const { rows, draw } = alignedRows(c.align, images, wanted, (seen, classes, copies) =>
    identityRows(target, surrogates, c, seen, classes, copies),
  );
  const identity = mean(rows);
  const natural = mean(naturalness(images));
  const loss = sub(mul(identity, c.identityWeight), natural);
  const variables = [mu, logVariance];
  const plan = { name: "optimizer", optimizer: adam(), rate: constantRate(c.rate) };
  return {
    outputs: { loss, identity, naturalness: natural },
    updates: optimizerUpdates(plan, variables, grad(loss, variables)),
    slots: optimizerState(plan, variables),
    draw,
  };
}

/** z = μ + exp(½ log σ²)·ε, clamped */
function drawn(mu: Value, logVariance: Value, noise: Value, limit: number): Value {
  return clamp(add(mu, mul(exp(mul(logVariance, 0.5)), noise)), -limit, limit);
}

function drawReconstructions(
  mu: Float32Array,
  logVariance: Float32Array,
  latent: number,
  perIdentity: number,
  limit: number,
  seed: number,
): Float32Array {
  const rng = random(seed, "kedmi", "draws");
  const out = new Float32Array(mu.length * perIdentity);
  for (let row = 0; row < mu.length / latent; row++)
    for (let k = 0; k < perIdentity; k++)
      for (let j = 0; j < latent; j++) {
        const at = row * latent + j;
        const z = mu[at]! + Math.exp(0.5 * logVariance[at]!) * rng.normal();
        out[(row * perIdentity + k) * latent + j] = Math.min(limit, Math.max(-limit, z));
      }
  return out;
}
