import { poissonSample } from "../data/poisson.ts";
import { grad } from "../engine/autodiff.ts";
import { input, parameter, type Value } from "../engine/graph.ts";
import { add, div, minimum, mul, scalar, sqrt, stopGradient } from "../engine/ops/elementwise.ts";
import { crossEntropyRows } from "../engine/ops/loss.ts";
import { broadcastTo } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { perExampleGradients, squaredNorms } from "../engine/per-example.ts";
import { random, seedFor } from "../engine/random.ts";
import { orRelease, releaseAll } from "../engine/release.ts";
import { compile } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import { filled } from "../engine/tensor.ts";
import { forward } from "../models/forward.ts";
import { fillTargets, type StepMaker, type Steps } from "../models/train.ts";

/** What makes a step private. */
export interface PrivateStep {
  /** C: the longest gradient, over all weights, that one image may contribute. */
  readonly clip: number;
  /** σ: the noise's standard deviation is σ·C. */
  readonly noiseMultiplier: number;
  /** Images whose gradients are held at a time. */
  readonly microbatch: number;
}

const sumOf = (weight: string) => `private/${weight}`;

/**
 * The steps of DP-SGD (Abadi et al. 2016, algorithm 1): a Poisson sample with probability batch / n, each image's gradient of the
 * cross-entropy clipped to length C, their sum with noise N(0, σ²C²) divided by the expected batch, and an optimiser that sees
 * nothing else. Norms stay in evaluation mode: with a batch's statistics no image would have a gradient of its own.
 *
 * Gradients are clipped by weighing each image's loss, so only their lengths are needed: no two weights' per-example gradients
 * are held together. The noise comes from the seeded streams that everything here comes from: fit to study what such noise does,
 * but whoever knows the seed can take it off again.
 */
export function privateSteps({ clip, noiseMultiplier, microbatch }: PrivateStep): StepMaker {
  return async ({ training, store, plan, batch }): Promise<Steps> => {
    const { objective, targets, name, seed, settings, erasing, train: images } = training;
    const width = targets[0]!.length;
    const rows = Math.min(microbatch, images.size);
    const net = forward(training, rows, false);
    const t = input("targets", [rows, width]);
    // Rows that only fill a microbatch up weigh nothing.
    const real = input("real", [rows]);
    const losses = mul(crossEntropyRows(net.outputs, t), real);
    const { weights } = net;
    const lengths = sqrt(squaredNorms(perExampleGradients(losses, weights)));
    // Below any length that matters, so that an image without a gradient divides by something.
    const factors = stopGradient(minimum(div(clip, add(lengths, 1e-12)), 1));
    const clipped = grad(sum(mul(losses, factors)), weights);
    const sums = weights.map((w) => parameter(sumOf(w.leaf!.name), w.shape));
    const by = (of: (w: Value, i: number) => Value) =>
      Object.fromEntries(weights.map((w, i) => [sumOf(w.leaf!.name), of(w, i)]));

    store.add(optimizerState(plan, weights));
    store.add(Object.fromEntries(sums.map((s) => [s.leaf!.name, filled(s.shape, 0)])));
    const gather = await compile({
      outputs: { loss: sum(losses), score: sum(mul(objective.score(net.outputs, t), real)) },
      updates: by((_, i) => add(sums[i]!, clipped[i]!)),
      store,
    });
    const noisy = weights.map((w, i) => {
      const noise = mul(input(`noise/${w.leaf!.name}`, w.shape), noiseMultiplier * clip);
      return mul(add(sums[i]!, noise), 1 / batch);
    });
    const apply = await orRelease(gather.release, () =>
      compile({
        outputs: {},
        updates: { ...optimizerUpdates(plan, weights, noisy), ...by((w) => broadcastTo(scalar(0), w.shape)) },
        store,
      }),
    );

    const length = sizeOf([images.channels, images.height, images.width]);
    const fed = {
      images: new Float32Array(rows * length),
      targets: new Float32Array(rows * width),
      real: new Float32Array(rows),
    };
    const sample = {
      rate: batch / images.size,
      seed: seedFor(seed, name, "order"),
      part: rows,
      augment: settings.augment,
      ...(erasing && { erasing }),
      ...(settings.cachedViews !== undefined && { views: settings.cachedViews }),
    };
    let last = { loss: Math.log(width), score: 0 };
    return {
      open() {},
      async take(step, share) {
        let [count, loss, score] = [0, 0, 0];
        for await (const part of poissonSample(images, { ...sample, step })) {
          fed.images.set(part.images);
          fillTargets(fed.targets.subarray(0, part.size * width), part.labels, targets, share);
          for (let i = 0; i < rows; i++) fed.real[i] = i < part.size ? 1 : 0;
          const found = await gather.run(fed);
          count += part.size;
          loss += found.loss!.data[0]!;
          score += found.score!.data[0]!;
        }
        const noise = (w: string, size: number) => random(seed, name, "privacy", w, step).normals(size);
        await apply.run(
          Object.fromEntries(weights.map((w) => [`noise/${w.leaf!.name}`, noise(w.leaf!.name, sizeOf(w.shape))])),
        );
        // An empty sample has no mean; what is shown is that of the one before.
        if (count > 0) last = { loss: loss / count, score: score / count };
        return last;
      },
      release: () => releaseAll([gather.release, apply.release]),
    };
  };
}
