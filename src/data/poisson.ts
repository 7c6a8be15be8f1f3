import { random } from "../engine/random.ts";
import type { ImageSet } from "./dataset.ts";
import { imageLength } from "./image-size.ts";
import { type ImageChanges, readImages, readViews } from "./loader.ts";

/** A part of a Poisson sample; the arrays are written over by the next part. */
export interface SamplePart {
  readonly size: number;
  /** NCHW, values in [0, 1]. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/**
 * The Poisson sample of a step, in parts of at most `part` images: each image of the set takes part with probability `rate`,
 * whatever the others do. A sample may be empty. It depends on seed and step alone. `views` is as for `endless`, an epoch being
 * 1 / rate steps.
 */
export async function* poissonSample(
  set: ImageSet,
  options: ImageChanges & {
    readonly rate: number;
    readonly seed: number;
    readonly step: number;
    readonly part: number;
    readonly views?: number;
  },
): AsyncGenerator<SamplePart, void, undefined> {
  const { rate, seed, step, part, views } = options;
  const rng = random(seed, "sample", step);
  const drawn = Int32Array.from({ length: set.size }, (_, i) => i).filter(() => rng.uniform() < rate);
  const room = Math.min(part, drawn.length) * imageLength(set);
  const into = { bytes: new Uint8Array(room), images: new Float32Array(room) };
  for (let at = 0; at < drawn.length; at += part) {
    const indices = drawn.subarray(at, at + part);
    if (views === undefined)
      await readImages(set, indices, into, options, (use) => random(seed, use, "step", step, at));
    else await readViews(set, indices, into, options, { seed, view: () => Math.floor(step * rate) % views });
    yield {
      size: indices.length,
      images: into.images.subarray(0, indices.length * imageLength(set)),
      labels: indices.map((i) => set.labels[i]!),
    };
  }
}
