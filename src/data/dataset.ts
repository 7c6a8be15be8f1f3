/** Images of one size with one label each, as bytes. Reading is by index, so that memory does not grow with the set. */
export interface ImageSet {
  /** What a person calls it: `faces private train`. */
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** The number of images. */
  readonly size: number;
  /** Class names by label. */
  readonly classes: readonly string[];
  /** The label of each image, in [0, classes.length). */
  readonly labels: Int32Array;
  /** SHA-256 (hex) over the set's content or over everything that determines it. */
  readonly hash: string;
  /**
   * Writes the images of the given indices, one after the other, each as `channels × height × width` bytes (0 … 255).
   * `out` holds at least `indices.length * channels * height * width` bytes.
   */
  read(indices: ArrayLike<number>, out: Uint8Array): Promise<void>;
}

/** A private set in three parts; every class occurs in each. Models are selected on validation, never on test. */
export interface PrivateSplit {
  readonly train: ImageSet;
  readonly validation: ImageSet;
  readonly test: ImageSet;
}

/** One attribute whose truth is known: a number vector of `size` components, each in [0, 1], or one of `size` categories. */
export interface AttributeSpec {
  readonly name: string;
  readonly kind: "number" | "category";
  readonly size: number;
}

/** Images of people who are not in the private set, with their attributes: what an attribute regressor learns from. */
export interface AttributeData {
  readonly specs: readonly AttributeSpec[];
  /** For each private class, the attribute values in the order of `specs` (numbers: `size` values; a category: its index). */
  readonly private: readonly Float32Array[];
  readonly train: ImageSet;
  readonly test: ImageSet;
  /** For each class of `train` and `test` (they share their class list), values as in `private`. */
  readonly values: readonly Float32Array[];
}

/** Everything a study's data source hands over. No identity of one set occurs in another, except that `evaluation` has the private ones. */
export interface StudyData {
  readonly private: PrivateSplit;
  /** The attacker's images: other people. Labels carry no meaning for the attack. */
  readonly public: ImageSet;
  /** Labelled public images on which the target's start weights are trained. */
  readonly pretraining: { readonly train: ImageSet; readonly test: ImageSet };
  /** Training images for the evaluation model: the private identities, where possible with images that the target never saw. */
  readonly evaluation: ImageSet;
  readonly attributes?: AttributeData;
}
