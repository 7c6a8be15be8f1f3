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
  /** Seed of the resampling that intervals come from. */
  readonly seed: number;
}

/** One measure of utility or leakage: one entry in `index.ts`. */
export interface Metric<Kind extends string = string> {
  readonly kind: Kind;
  /** What a person calls it. */
  readonly name: string;
  readonly summary: string;
  readonly paper?: string;
  readonly measures: "utility" | "leakage";
  /** Which values mean more of what it measures: of a leakage, `lower` says that a low value leaks more. */
  readonly direction: "higher" | "lower";
  readonly unit: string;
  /**
   * The value over all images, with its 95 % interval.
   * @throws RangeError for evidence without images, or with arrays that do not fit together.
   */
  measure(evidence: Evidence): Measured;
  /** One value a class, in the order of `classes`; NaN where a class has no image. */
  perIdentity(evidence: Evidence): Float64Array;
}

/** Declares a metric; only fixes the types. */
export function defineMetric<const Kind extends string>(metric: Metric<Kind>): Metric<Kind> {
  return metric;
}
