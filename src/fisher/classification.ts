import type { ImageSet } from "../data/dataset.ts";
import { all } from "../data/loader.ts";
import { random } from "../engine/random.ts";
import type { StateDict } from "../engine/store.ts";
import type { Model } from "../models/model.ts";
import { classifierPredictor } from "../models/predict.ts";
import { type FisherForm, fisherMeter, type LayerFisher } from "./fisher.ts";

/** `empirical`: the images' own labels. `true`: labels drawn from the model's own probabilities, as the definition has it. */
export type FisherLabels = "empirical" | "true";

/**
 * The Fisher information of the classification task: log p(y|x) of labelled images, which the model should not have been trained on.
 * @throws the signal's AbortError once it is aborted.
 */
export async function classificationFisher(options: {
  readonly model: Model;
  readonly state: StateDict;
  readonly images: ImageSet;
  readonly labels?: FisherLabels;
  readonly form?: FisherForm;
  readonly batch?: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}): Promise<readonly LayerFisher[]> {
  const { model, state, images, labels = "empirical", form = "per-example", batch = 16, seed, signal } = options;
  const meter = await fisherMeter({ model, state, form, batch });
  const net = labels === "true" ? await classifierPredictor(model, state, batch) : undefined;
  const rng = random(seed, "fisher", "labels");
  try {
    for await (const part of all(images, batch)) {
      signal?.throwIfAborted();
      const logits = net && (await net.predict(part.images, part.size)).logits;
      await meter.add(part.images, logits ? drawLabels(logits, model.classes, () => rng.uniform()) : part.labels);
    }
    return meter.layers();
  } finally {
    await meter.release();
    await net?.release();
  }
}

/** A class for each row of logits [n, classes], drawn from their softmax by a uniform number in [0, 1) each. */
export function drawLabels(logits: Float32Array, classes: number, uniform: () => number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, row) => {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const top = Math.max(...own);
    const odds = Array.from(own, (x) => Math.exp(x - top));
    let left = uniform() * odds.reduce((a, b) => a + b, 0);
    // Rounding may leave a rest behind the last class.
    const drawn = odds.findIndex((p) => {
      left -= p;
      return left < 0;
    });
    return drawn < 0 ? classes - 1 : drawn;
  });
}
