import { imageLength } from "../data/image-size.ts";
import type { LabelledValues } from "./mean-of.ts";
import type { Evidence, PictureBatch } from "./metric.ts";

/** How two images are compared, each prepared once for many comparisons. */
export interface Likeness<Prepared> {
  prepare(batch: PictureBatch): readonly Prepared[] | Promise<readonly Prepared[]>;
  compare(a: Prepared, b: Prepared): number;
  /** Which of two results means more alike. */
  readonly closest: (a: number, b: number) => number;
}

/**
 * For each reconstruction its likeness to the private training image of the attacked class that it is most like. Private images are
 * read class by class, and only a batch of them is held at a time.
 * @throws RangeError where the images do not fit the labels, or an attacked class has no private image.
 */
export async function closestPictures<Prepared>(
  { classes, reconstructions: { labels }, pictures }: Evidence,
  { prepare, compare, closest }: Likeness<Prepared>,
): Promise<LabelledValues> {
  const length = imageLength(pictures.size);
  if (pictures.reconstructions.length !== labels.length * length) {
    throw new RangeError(
      `expected ${labels.length} images of ${length} values, got ${pictures.reconstructions.length} values`,
    );
  }
  const values = new Float64Array(labels.length).fill(Number.NaN);
  for (const label of new Set(labels)) {
    const indices = [...labels.keys()].filter((i) => labels[i] === label);
    const own = new Float32Array(indices.length * length);
    indices.forEach((i, at) => {
      own.set(pictures.reconstructions.subarray(i * length, (i + 1) * length), at * length);
    });
    const found = await prepare({ images: own, count: indices.length });
    let seen = 0;
    for await (const batch of pictures.references(label)) {
      const references = await prepare(batch);
      indices.forEach((i, at) => {
        for (const [j, reference] of references.entries()) {
          const likeness = compare(found[at]!, reference);
          values[i] = seen + j === 0 ? likeness : closest(values[i]!, likeness);
        }
      });
      seen += batch.count;
    }
    if (seen === 0) throw new RangeError(`class ${label} (${classes[label] ?? "unknown"}) has no private image`);
  }
  return { values, labels };
}

/** The images of a batch, each as a copy of its own. */
export function single({ images, count }: PictureBatch): Float32Array[] {
  const length = images.length / count;
  return Array.from({ length: count }, (_, i) => images.slice(i * length, (i + 1) * length));
}
