import { z } from "zod";
import { input, type Value } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { add, mul, sub } from "../engine/ops/elementwise.ts";
import { oneHot, reshape } from "../engine/ops/movement.ts";
import { mean, sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import { sizeOf } from "../engine/shape.ts";
import { createStore } from "../engine/store.ts";
import { predictor } from "../models/predict.ts";
import { fixedPrior } from "../priors/synthesize.ts";
import type { CutTarget, ScoresAccess, WhiteBox } from "./access.ts";
import { alignedRows, alignSettings } from "./align.ts";
import { logAlignment } from "./alignment-log.ts";
import { defineAttack } from "./attack.ts";
import { featuresFirst, featuresFirstSettings } from "./features-first.ts";
import {
  candidatesFor,
  finalSelectionSettings,
  leastCandidates,
  selectFinal,
  selectionFlipSetting,
} from "./final-selection.ts";
import { type HandedOn, handedOn, type Shaken } from "./handed-on.ts";
import { identityLossRows, identityLossSchema } from "./identity-loss.ts";
import { knownPrefix } from "./known-prefix.ts";
import { momentumSearch, momentumSettings, quickSearch } from "./momentum.ts";
import { labelInput, runSearch } from "./search.ts";
import { labelsOf, startRows } from "./selection.ts";
import type { SearchSpace } from "./space.ts";

const config = z.strictObject({
  iterations: z.int().positive().default(3000).describe("as GMI's"),
  ...momentumSettings,
  identityLoss: identityLossSchema,
  identityWeight: z.number().positive().default(100).describe("λ, the weight of the identity loss"),
  samples: z
    .int()
    .positive()
    .default(8)
    .describe("K, shaken copies of each image's features over which the identity loss is averaged"),
  shake: z
    .number()
    .min(0)
    .default(0.3)
    .describe("how much of a random public image's deviation from the public mean is added to the features; 0: none"),
  publicSamples: z
    .int()
    .min(2)
    .default(512)
    .describe("images of the prior whose features stand for those of public images"),
  clamp: z.number().positive().default(1).describe("latents are held to ± this"),
  pool: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "start from the best of this many random latents, judged by shaken features; 0: from random ones; they are ranked before they are held to ± clamp: with a small one the search starts from latents that are clipped",
    ),
  batch: z.int().positive().default(60).describe("latents optimised side by side"),
  ...featuresFirstSettings,
  ...alignSettings,
  ...finalSelectionSettings,
  ...selectionFlipSetting,
});

type Settings = z.output<typeof config>;

/**
 * An attacker who holds the public weights that the target started from, and so knows θ_E and where private learning begins. Whatever the
 * target learnt of an identity is a function of what θ_E hands on, and the attack reads it there: GMI's search, on the mean identity loss
 * of copies of what is handed on that are shaken within the covariance of public images, so that what only fools the tail averages out
 * (docs/adaptive-attacker.md). A copy costs the tail alone.
 *
 * Where no stage is as it was published, images themselves are what is handed on: pixels are shaken.
 */
export const knowsPrefix = defineAttack({
  kind: "knows-prefix",
  summary: "GMI's search, by an attacker who knows from the public start weights where private learning begins",
  paper: "–",
  access: "white-box",
  prior: "dcgan",
  publicWeights: true,
  config,
  quick: {
    ...quickSearch,
    samples: 4,
  },
  least: leastCandidates,
  async run({ target, prior, space, publicWeights = {}, identities, perIdentity, config: c, seed, work }) {
    const boundary = knownPrefix(target.model, target.state, publicWeights);
    const cut = target.cut(boundary);
    const handed = await publicFeatures(target, cut, space, c.publicSamples, seed);
    const candidates = candidatesFor("knows-prefix", c.candidates, perIdentity);
    const labels = labelsOf(identities, candidates);
    const rows = labels.length;
    const batch = Math.min(c.batch, rows);
    const judge = await shakenScores(target, cut, handed, c, seed);
    const pooled = { target: judge, space, identities, perIdentity: candidates, pool: c.pool, seed };
    const first = await startRows(pooled, "knows-prefix");
    await judge.release();

    const { latents, start: startLatents, step } = momentumSearch(batch, prior.networks.latent, c);
    const { synthesize, naturalness } = fixedPrior(prior);
    const images = synthesize(latents);
    const wanted = oneHot(labelInput(batch), target.classes);
    const features = cut.prefix(images);
    const shaking: Shaken[] = [];
    const featureLosses = (read: Value, classes: Value, copies = 1, name = "shaken") => {
      const shaken = handed.shaken(read, c.shake, c.samples, name);
      shaking.push(shaken);
      const { logits } = cut.tail(shaken.handed, copies * c.samples);
      const judged = reshape(logits, [c.samples, read.shape[0]!, target.classes]);
      return mean(identityLossRows(c.identityLoss, judged, classes), [0]);
    };
    const aligned = alignedRows(c.align, images, wanted, (seen, classes, copies) =>
      featureLosses(seen === images ? features : cut.prefix(seen), classes, copies),
    );
    const identity = sum(aligned.rows);
    const natural = sum(naturalness(images));
    // Where the search for images has no copies of its own, both shake as many rows, by the same draw.
    const name = c.align && "features";
    const searched =
      c.features &&
      featuresFirst(c.features, handed, features, (moved) => featureLosses(moved, wanted, 1, name), c.identityWeight);
    const cost = sub(mul(identity, c.identityWeight), natural);
    const { loss, updates } = step(searched ? add(cost, sum(searched.mismatch(features))) : cost);
    const forImages = {
      iterations: c.iterations,
      outputs: { loss, identity: mul(identity, 1 / batch), naturalness: mul(natural, 1 / batch) },
      updates,
    };
    const start = (from: number) => ({ ...startLatents(first, from), ...searched?.start() });
    const found = await runSearch({
      work,
      target,
      name: "knows-prefix",
      rows,
      batch,
      ...(searched ? { ...searched.phase, later: [{ ...forImages, enter: searched.enter }] } : forImages),
      store: createStore(start(0)),
      start,
      results: ["latents"],
      feeds: (from, iteration) => {
        const rng = random(seed, "knows-prefix", from, iteration);
        return Object.assign(aligned.draw(rng), ...shaking.map(({ draw }) => draw(rng)));
      },
      label: (row) => labels[row]!,
    });
    await logAlignment({
      ...{ work, target, name: "knows-prefix", align: c.align, labels, seed },
      draw: synthesize,
      rowsOf: (seen, classes, copies) => identityLossRows(c.identityLoss, target.judge(seen, copies).logits, classes),
      points: [
        { iteration: 0, rows: first },
        { iteration: c.iterations, rows: found.latents! },
      ],
    });
    const search = { target, space, identities, rows: found.latents!, perIdentity };
    const chosen = await selectFinal({ ...search, views: c.views, flip: c.flip, seed, signal: work.signal });
    return { ...chosen, remark: remarkOn(boundary) };
  },
});

function remarkOn(boundary: string | null): string {
  return boundary === null
    ? "its first stage with weights already differs from the public start weights, so there is no prefix to know; pixels were shaken in the place of features"
    : `up to ${boundary} its weights are the public start weights bit for bit; what that stage hands on was shaken`;
}

const BATCH = 64;

/** What the prefix makes of the prior's images: no query, since anybody can compute it. */
async function publicFeatures(
  { image }: WhiteBox,
  cut: CutTarget,
  space: SearchSpace,
  count: number,
  seed: number,
): Promise<HandedOn> {
  const images = await space.render(await space.draw(count, seed, "public"), new Int32Array(count));
  const shape = cut.prefix(input("images", [1, ...image])).shape.slice(1);
  const net = await predictor(image, BATCH, (x) => ({ handed: cut.prefix(x) }));
  const { handed } = await net.predict(images, count);
  await net.release();
  return handedOn(handed, shape);
}

/** The target's probabilities as means over shaken copies: a pool would else be chosen by what fools the tail. */
async function shakenScores(
  target: WhiteBox,
  cut: CutTarget,
  handed: HandedOn,
  { samples, shake }: Settings,
  seed: number,
): Promise<ScoresAccess & { release(): Promise<void> }> {
  const { classes, image } = target;
  const images = input("images", [BATCH, ...image]);
  const shaken = handed.shaken(cut.prefix(images), shake, samples);
  const seen = softmax(cut.tail(shaken.handed, samples).logits);
  const program = await target.compile({
    outputs: { scores: mean(reshape(seen, [samples, BATCH, classes]), [0]) },
  });
  // The same noise for every batch of images, since images are compared.
  const copies = shaken.draw(random(seed, "knows-prefix", "pool"));
  const length = sizeOf(image);
  return {
    classes,
    image,
    async scores(all) {
      const count = all.length / length;
      const out = new Float32Array(count * classes);
      const fed = new Float32Array(BATCH * length);
      for (let at = 0; at < count; at += BATCH) {
        const part = Math.min(BATCH, count - at);
        fed.set(all.subarray(at * length, (at + part) * length));
        const { scores } = await program.run({ images: fed, ...copies }, part);
        out.set((scores!.data as Float32Array).subarray(0, part * classes), at * classes);
      }
      return out;
    },
    release: () => program.release(),
  };
}
