import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { UserError } from "../engine/errors.ts";
import { parameter, type Value } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { abs, add, greater, mul, sub, where } from "../engine/ops/elementwise.ts";
import { oneHot, reshape, sliceAxis } from "../engine/ops/movement.ts";
import { mean, sum } from "../engine/ops/reduce.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { defineAttack } from "./attack.ts";
import { labelInput, rowsFrom, runSearch } from "./search.ts";
import { labelsOf, selectInitial } from "./selection.ts";

const config = z.strictObject({
  iterations: z.int().positive().default(5000).describe("α, the most gradient steps that an image takes"),
  rate: z.number().positive().default(0.1).describe("λ, the step size of gradient descent"),
  patience: z.int().positive().default(100).describe("β, steps without a lower cost after which an image is done"),
  confidence: z
    .number()
    .gt(0)
    .max(1)
    .default(0.99)
    .describe("probability of its class at which an image is done (1 − γ)"),
  totalVariation: z
    .number()
    .min(0)
    .default(0)
    .describe("weight of the mean difference of neighbouring pixels in the cost, for smooth images; 0 as in the paper"),
  start: z
    .enum(["random", "zeros"])
    .default("random")
    .describe(
      "uniform random pixels; or zeros, as in the paper, from where there is one reconstruction of an identity",
    ),
  pool: z.int().min(0).default(0).describe("start from the best of this many random images; 0: as `start` says"),
  batch: z.int().positive().default(60).describe("images optimised side by side"),
});

/**
 * MI-Face: gradient descent on the pixels themselves, c(x) = 1 − p_y(x) + auxiliary term (algorithm 1). The image of the lowest cost is
 * kept. Total variation is the auxiliary term here; the paper's denoising of each step belongs to its autoencoder and is not done.
 */
export const miFace = defineAttack({
  kind: "mi-face",
  summary: "gradient descent on pixels, without any prior: what the target alone gives away",
  paper:
    "Fredrikson et al., Model Inversion Attacks that Exploit Confidence Information and Basic Countermeasures, CCS 2015",
  access: "white-box",
  prior: null,
  config,
  quick: { iterations: 300, rate: 20, totalVariation: 0.5, batch: 50 },
  least: (_, perIdentity) => ({ pool: perIdentity }),
  async run({ target, space, identities, perIdentity, config: c, seed, work }) {
    const fromZeros = c.start === "zeros" && c.pool === 0;
    if (fromZeros && perIdentity > 1)
      throw new UserError(
        `mi-face: from zeros all ${perIdentity} reconstructions of an identity are the same; set reconstructions.perIdentity to 1, or start to random`,
      );
    const labels = labelsOf(identities, perIdentity);
    const rows = labels.length;
    const batch = Math.min(c.batch, rows);
    const first = await firstImages();
    const shape = [batch, ...target.image];

    const images = parameter("images", shape);
    const [best, bestCost, idle] = [
      parameter("best", shape),
      parameter("bestCost", [batch]),
      parameter("idle", [batch]),
    ];
    const wanted = oneHot(labelInput(batch), target.classes);
    const probability = sum(mul(softmax(target.logits(images)), wanted), [-1]);
    const identity = sub(1, probability);
    const cost = add(identity, mul(totalVariation(images), c.totalVariation));
    const [slope] = grad(sum(cost), [images]);
    const better = greater(bestCost, cost);
    const sure = greater(probability, c.confidence);
    const nextIdle = where(sure, c.patience, where(better, 0, add(idle, 1)));
    const perImage = (v: Value) => reshape(v, [batch, 1, 1, 1]);
    const active = greater(c.patience, perImage(nextIdle));

    const start = (from: number): StateDict => ({
      images: tensor(rowsFrom(first, space.width, from, batch), shape),
      best: filled(shape, 0),
      bestCost: filled([batch], Number.MAX_VALUE),
      idle: filled([batch], 0),
    });
    const found = await runSearch({
      work,
      target,
      name: "mi-face",
      rows,
      batch,
      iterations: c.iterations,
      store: createStore(start(0)),
      start,
      results: ["best"],
      outputs: { loss: mean(cost), identity: mean(identity) },
      updates: {
        images: where(active, clamp(sub(images, mul(slope!, c.rate)), 0, 1), images),
        best: where(perImage(better), images, best),
        bestCost: where(better, cost, bestCost),
        idle: nextIdle,
      },
      feeds: () => ({}),
      label: (row) => labels[row]!,
      settled: (store) => store.get("idle").data.every((n) => n >= c.patience),
    });
    return { rows: found.best!, labels };

    async function firstImages(): Promise<Float32Array> {
      if (fromZeros) return new Float32Array(rows * space.width);
      if (c.pool === 0) return space.draw(rows, seed, "mi-face");
      return (await selectInitial({ target, space, identities, perIdentity, pool: c.pool, seed })).rows;
    }
  },
});

/** Mean absolute difference of vertical and of horizontal neighbours, an image: [N, C, H, W] to [N] */
export function totalVariation(images: Value): Value {
  const along = (axis: number) => {
    const size = images.shape[axis]!;
    const steps = sub(sliceAxis(images, axis, 1, size), sliceAxis(images, axis, 0, size - 1));
    return mean(abs(steps), [1, 2, 3]);
  };
  return add(along(2), along(3));
}
