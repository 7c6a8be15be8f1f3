import type { z } from "zod";
import type { Erasing } from "../data/erase.ts";
import type { Value } from "../engine/graph.ts";
import type { Answers } from "../models/answers.ts";
import type { View } from "../models/forward.ts";
import type { Model } from "../models/model.ts";
import type { Smoothing, StepMaker } from "../models/train.ts";

/** A term that a defense adds to the loss: logits [N, classes] and what the training shows on the way, to one number. */
export type Penalty = (logits: Value, targets: Value, view: View) => Value;

/** What is done to a trained target's answers before anybody sees them; whoever has the weights passes it by. */
export interface OutputDefense {
  /** Makes it ready, from the target's probabilities [n, classes] for the private validation images. */
  open(calibration: {
    readonly probabilities: Float32Array;
    readonly labels: Int32Array;
    readonly seed: number;
  }): Answers;
}

/** A training recipe for the target model: where weights start, what trains, and what is learnt from which images. */
export interface Recipe {
  /** The pre-trained weights, or random ones. */
  readonly start: "pretrained" | "scratch";
  /** Last stage kept as it starts; null where everything trains, `auto` where it is still to be chosen: so nothing can be trained. */
  readonly boundary: string | null;
  /** Epochs in which the head alone is trained first. */
  readonly probeEpochs: number;
  /**
   * `eval`: batch norms of frozen stages keep their statistics, so that no private number enters θ_E.
   * `train`: they normalise by the batch and their running statistics follow the private data, as in the released TL-DMI code.
   */
  readonly frozenNorms: "eval" | "train";
  /** How targets are smoothed; by the training settings where it is left out. A linear probe has no smoothing of a defense. */
  readonly smoothing?: Smoothing;
  /** The epochs that come first, which train another shape of the same weights; they are part of the training's epochs. */
  readonly first?: { readonly model: Model; readonly epochs: number };
  /** Random parts of the training images are covered. */
  readonly erasing?: Erasing;
  /** What takes the steps of every phase of the training; ordinary gradient steps where it is left out. */
  readonly steps?: StepMaker;
  /** What the steps do for privacy, to be accounted for. The last epoch is kept: to choose the best one would cost privacy too. */
  readonly privacy?: { readonly noiseMultiplier: number; readonly clip: number; readonly delta: number };
  /** Nothing that is trained: what happens to answers. */
  readonly outputs?: OutputDefense;
  /** Added to the cross-entropy. */
  readonly penalties?: readonly Penalty[];
}

/** A change of the architecture that is trained and attacked. */
export interface Reshape<Config> {
  /** What it replaces; two defenses may not replace the same. */
  readonly part: "front" | "head" | "shortcuts";
  /** @throws UserError for an architecture that has no such part. */
  model(config: Config, model: Model): Model;
}

/** A defense: one file in this folder, one line in `index.ts`. */
export interface Defense<Kind extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  readonly summary: string;
  readonly paper: string;
  readonly config: Schema;
  readonly reshape?: Reshape<z.output<Schema>>;
  /**
   * What it changes of the recipe of an undefended model; defenses that change different keys can be combined.
   * @param model the architecture as all defenses of the target have reshaped it.
   * @throws UserError for a stage that the model does not have.
   */
  recipe(config: z.output<Schema>, model: Model): Partial<Recipe>;
}

/** Declares a defense; only fixes the types. */
export function defineDefense<const Kind extends string, Schema extends z.ZodObject>(
  defense: Defense<Kind, Schema>,
): Defense<Kind, Schema> {
  return defense;
}
