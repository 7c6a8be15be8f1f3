import type { Batch } from "../data/loader.ts";
import type { Predictor } from "../models/predict.ts";

/** A target's probabilities of the images of a set, asked for when an image first turns up and remembered. */
export interface SoftLabels {
  /** The rows of a batch's images [batch, classes]; the array is written over by the next call. */
  of(batch: Pick<Batch, "images" | "indices">): Promise<Float32Array>;
}

/**
 * Remembers what `target` says. Short trainings see a part of the public images only, and the others need not be looked at.
 * @param size images of the set
 */
export function softLabels(target: Predictor<"scores">, size: number, classes: number): SoftLabels {
  const known = new Float32Array(size * classes);
  const asked = new Uint8Array(size);
  const rowOf = (index: number) => known.subarray(index * classes, (index + 1) * classes);
  let [fed, out] = [new Float32Array(0), new Float32Array(0)];
  return {
    async of({ images, indices }) {
      const batch = indices.length;
      const length = images.length / batch;
      if (out.length !== batch * classes)
        [fed, out] = [new Float32Array(images.length), new Float32Array(batch * classes)];
      const unknown = [...indices.keys()].filter((i) => asked[indices[i]!] === 0);
      if (unknown.length > 0) {
        for (const [to, i] of unknown.entries()) fed.set(images.subarray(i * length, (i + 1) * length), to * length);
        const { scores } = await target.predict(fed, unknown.length);
        for (const [from, i] of unknown.entries()) {
          rowOf(indices[i]!).set(scores.subarray(from * classes, (from + 1) * classes));
          asked[indices[i]!] = 1;
        }
      }
      for (const [i, index] of indices.entries()) out.set(rowOf(index), i * classes);
      return out;
    },
  };
}
