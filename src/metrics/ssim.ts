import { type ImageSize, imageLength } from "../data/image-size.ts";
import { meanOf } from "./mean-of.ts";
import { defineMetric, type PictureBatch } from "./metric.ts";
import { closestPictures, single } from "./nearest-picture.ts";

// Wang et al. 2004, section III-C, for values in [0, 1].
const SIDE = 11;
const SIGMA = 1.5;
const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;

/** The Gaussian window along one axis, summing to 1; of the largest odd length that fits an image of this side. */
function windowFor(side: number): Float64Array {
  const length = Math.min(SIDE, side - 1 + (side % 2));
  const weights = Float64Array.from({ length }, (_, i) => Math.exp(-((i - (length - 1) / 2) ** 2) / (2 * SIGMA ** 2)));
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => w / total);
}

/** An image with its local means and local mean squares, for many comparisons. */
interface Prepared {
  readonly image: Float32Array;
  readonly means: Float64Array;
  readonly squares: Float64Array;
}

/** Compares images of one size. */
export interface Similarity {
  prepare(batch: PictureBatch): Prepared[];
  /** In [−1, 1], 1 for equal images. */
  compare(a: Prepared, b: Prepared): number;
}

/**
 * The structural similarity index (Wang et al. 2004): Gaussian window of 11×11 with σ 1.5, K₁ 0.01, K₂ 0.03, averaged over all places
 * at which the window lies within the image, and over channels. Images smaller than the window get the largest odd window that fits.
 */
export function structuralSimilarity(size: ImageSize): Similarity {
  const { channels, height, width } = size;
  const [down, across] = [windowFor(height), windowFor(width)];
  const [rows, columns] = [height - down.length + 1, width - across.length + 1];
  const between = new Float64Array(height * columns);
  const places = rows * columns;

  /** Local means of a plane, into `out` from `at` on. */
  function localMeans(plane: Float32Array | Float64Array, out: Float64Array, at: number): void {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < columns; x++) {
        let sum = 0;
        for (let k = 0; k < across.length; k++) sum += across[k]! * plane[y * width + x + k]!;
        between[y * columns + x] = sum;
      }
    }
    for (let y = 0; y < rows; y++) {
      const from = at + y * columns;
      out.fill(0, from, from + columns);
      for (let k = 0; k < down.length; k++) {
        const weight = down[k]!;
        for (let x = 0; x < columns; x++) out[from + x]! += weight * between[(y + k) * columns + x]!;
      }
    }
  }

  const area = height * width;
  const product = new Float64Array(area);

  /** Local means of a·b, one channel after the other. */
  function localProducts(a: Float32Array, b: Float32Array, out: Float64Array): Float64Array {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < area; i++) product[i] = a[c * area + i]! * b[c * area + i]!;
      localMeans(product, out, c * places);
    }
    return out;
  }

  const products = new Float64Array(channels * places);
  return {
    prepare: (batch) =>
      single(batch).map((image) => {
        if (image.length !== imageLength(size)) {
          throw new RangeError(`an image of ${image.length} values, expected ${channels}×${height}×${width}`);
        }
        const means = new Float64Array(channels * places);
        for (let c = 0; c < channels; c++) {
          localMeans(image.subarray(c * area, (c + 1) * area), means, c * places);
        }
        return { image, means, squares: localProducts(image, image, new Float64Array(channels * places)) };
      }),
    compare(a, b) {
      localProducts(a.image, b.image, products);
      let sum = 0;
      for (let i = 0; i < products.length; i++) {
        const [p, q] = [a.means[i]!, b.means[i]!];
        const shared = p * q;
        const power = p * p + q * q;
        const covariance = products[i]! - shared;
        const variances = a.squares[i]! + b.squares[i]! - power;
        sum += ((2 * shared + C1) * (2 * covariance + C2)) / ((power + C1) * (variances + C2));
      }
      return sum / products.length;
    },
  };
}

/** SSIM to the private training image of the attacked class that a reconstruction is most like. */
export const ssim = defineMetric({
  kind: "ssim",
  name: "SSIM",
  summary:
    "structural similarity to the private training image of the attacked identity that a reconstruction is most like",
  paper: "Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, IEEE TIP 2004",
  measures: "leakage",
  direction: "higher",
  unit: "index",
  range: [-1, 1],
  ...meanOf((evidence) =>
    closestPictures(evidence, { ...structuralSimilarity(evidence.pictures.size), closest: Math.max }),
  ),
});
