import type { ImageSet } from "../data/dataset.ts";
import { all } from "../data/loader.ts";
import type { Predictor } from "./predict.ts";

/**
 * What the owner of a classifier does to its probabilities before anybody sees them: rows [n, K] with the images [n, C, H, W] that
 * they are of, to rows of a new array.
 */
export type Answers = (probabilities: Float32Array, images: Float32Array) => Float32Array;

/** The softmax of each row of logits [n, classes]. */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    const own = logits.subarray(at, at + classes);
    const top = own.reduce((a, b) => Math.max(a, b));
    const odds = Array.from(own, (x) => Math.exp(x - top));
    const total = odds.reduce((a, b) => a + b, 0);
    for (const [k, x] of odds.entries()) out[at + k] = x / total;
  }
  return out;
}

/** The place of the largest of each row, the first of several: rows [n, classes] to [n]. */
export function likeliest(rows: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: rows.length / classes }, (_, row) => {
    let best = row * classes;
    for (let i = best + 1; i < (row + 1) * classes; i++) if (rows[i]! > rows[best]!) best = i;
    return best - row * classes;
  });
}

/** A classifier's probabilities for all images of a set, [size, classes]; as its owner answers, where he does not answer plainly. */
export async function answersFor(
  net: Predictor<"logits" | "features">,
  set: ImageSet,
  classes: number,
  answers: Answers = (probabilities) => probabilities,
): Promise<Float32Array> {
  const out = new Float32Array(set.size * classes);
  let at = 0;
  for await (const { images, size } of all(set, 256)) {
    const { logits } = await net.predict(images, size);
    out.set(answers(softmaxRows(logits, classes), images), at * classes);
    at += size;
  }
  return out;
}
