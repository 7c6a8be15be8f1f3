import type { ImageSize } from "../data/image-size.ts";
import type { Measured } from "./measured.ts";

/** What an evaluation hands to the metrics; arrays are row-major, K is `classes.length`, d is `featureLength`. */
export interface Evidence {
  /** The private identities, by label. */
  readonly classes: readonly string[];
  /** The target on private test images: n × K logits, and what each image shows. */
  readonly natural: { readonly logits: Float32Array; readonly labels: Int32Array };
  /** Reconstructions in the eyes of the evaluation model. */
  readonly reconstructions: {
    /** The attacked class of each. */
    readonly labels: Int32Array;
    /** n × K. */
    readonly logits: Float32Array;
    /** n × d. */
    readonly features: Float32Array;
  };
  /** Private training images in the evaluation model's features, m × d. */
  readonly references: { readonly labels: Int32Array; readonly features: Float32Array };
  /** Length of one image's feature vector. */
  readonly featureLength: number;
  readonly pictures: Pictures;
  /** A classifier that has seen nothing but the reconstructions, on private test images; absent where none was trained. */
  readonly student?: { readonly logits: Float32Array; readonly labels: Int32Array };
  /** Seed of the resampling that intervals come from. */
  readonly seed: number;
}

/** Some images, one after the other, values in [0, 1]. */
export interface PictureBatch {
  readonly images: Float32Array;
  readonly count: number;
}

/** The images themselves. Private ones are read when they are asked for, and no more than a few are held at a time. */
export interface Pictures {
  readonly size: ImageSize;
  /** Reconstructions, n × C·H·W, in the order of `Evidence.reconstructions`. */
  readonly reconstructions: Float32Array;
  /** The private training images of a class. A batch is only valid until the next one is asked for. */
  references(label: number): AsyncIterable<PictureBatch>;
  /** One vector an image, whose squared distances are perceptual distances: see `perceptualEmbedding`. */
  embed(images: Float32Array, count: number): Promise<Float32Array>;
}

/** One measure of utility or leakage: one entry in `index.ts`. */
export interface Metric {
  readonly kind: string;
  /** What a person calls it. */
  readonly name: string;
  readonly summary: string;
  readonly paper?: string;
  readonly measures: "utility" | "leakage";
  /** Which values mean more of what it measures: of a leakage, `lower` says that a low value leaks more. */
  readonly direction: "higher" | "lower";
  readonly unit: string;
  /** The least and the greatest value that there can be. */
  readonly range: readonly [number, number];
  /**
   * The value over all images, with its 95 % interval; undefined where there are too few images for it, or no student.
   * @throws RangeError for evidence without images, or with arrays that do not fit together.
   */
  measure(evidence: Evidence): Measured | undefined | Promise<Measured | undefined>;
  /** One value a class, in the order of `classes`; NaN where a class has no value. */
  perIdentity(evidence: Evidence): Float64Array | Promise<Float64Array>;
}

/** Declares a metric; only fixes the types. */
export function defineMetric<const M extends Metric>(metric: M): M {
  return metric;
}
