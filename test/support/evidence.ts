import { type ImageSize, imageLength } from "../../src/data/image-size.ts";
import type { Evidence, Pictures } from "../../src/metrics/metric.ts";

/** Pictures of which there are none: for metrics that do not look at them. */
export const NO_PICTURES: Pictures = {
  size: { channels: 1, height: 1, width: 1 },
  reconstructions: new Float32Array(0),
  async *references() {},
  embed: async (images) => images,
};

/** Pictures in memory; private ones come in batches of two. An image's embedding is the image itself. */
export function picturesOf(
  size: ImageSize,
  reconstructions: Float32Array,
  references: { readonly labels: Int32Array; readonly images: Float32Array },
): Pictures {
  const length = imageLength(size);
  return {
    ...NO_PICTURES,
    size,
    reconstructions,
    async *references(label) {
      const own = [...references.labels.keys()].filter((i) => references.labels[i] === label);
      const buffer = new Float32Array(2 * length);
      for (let at = 0; at < own.length; at += 2) {
        const part = own.slice(at, at + 2);
        part.forEach((i, k) => {
          buffer.set(references.images.subarray(i * length, (i + 1) * length), k * length);
        });
        yield { images: buffer.subarray(0, part.length * length), count: part.length };
        // As promised: what was handed out does not last.
        buffer.fill(Number.NaN);
      }
    },
  };
}

const empty = { labels: new Int32Array(0), logits: new Float32Array(0), features: new Float32Array(0) };

/** Evidence of which only the given parts matter. */
export function evidenceOf(classes: number, parts: Partial<Evidence> = {}): Evidence {
  return {
    classes: Array.from({ length: classes }, (_, c) => `person ${c}`),
    natural: empty,
    reconstructions: empty,
    references: empty,
    featureLength: 1,
    pictures: NO_PICTURES,
    seed: 1,
    ...parts,
  };
}

/** An image's class, and its feature vector. */
export type Featured = readonly [label: number, features: readonly number[]];

/** Evidence of features alone, of two numbers an image unless another length is given. */
export function featureEvidence(
  reconstructions: readonly Featured[],
  references: readonly Featured[],
  { classes = 3, length = 2 } = {},
): Evidence {
  const side = (rows: readonly Featured[]) => ({
    labels: Int32Array.from(rows, ([label]) => label),
    features: Float32Array.from(rows.flatMap(([, values]) => values)),
  });
  return evidenceOf(classes, {
    reconstructions: { ...side(reconstructions), logits: new Float32Array(reconstructions.length * classes) },
    references: side(references),
    featureLength: length,
  });
}
