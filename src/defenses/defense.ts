import type { z } from "zod";
import type { Model } from "../models/model.ts";

/** A training recipe for the target model: where weights start, and what trains. */
export interface Recipe {
  /** The pre-trained weights, or random ones. */
  readonly start: "pretrained" | "scratch";
  /** Last stage kept as it starts; null where everything trains. */
  readonly boundary: string | null;
  /** Epochs in which the head alone is trained first. */
  readonly probeEpochs: number;
  /**
   * `eval`: batch norms of frozen stages keep their statistics, so that no private number enters θ_E.
   * `train`: they normalise by the batch and their running statistics follow the private data, as in the released TL-DMI code.
   */
  readonly frozenNorms: "eval" | "train";
}

/** A defense: one file in this folder, one line in `index.ts`. */
export interface Defense<Kind extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  readonly summary: string;
  readonly paper: string;
  readonly config: Schema;
  /** @throws UserError for a boundary that the model does not have. */
  recipe(config: z.output<Schema>, model: Model): Recipe;
}

/** Declares a defense; only fixes the types. */
export function defineDefense<const Kind extends string, Schema extends z.ZodObject>(
  defense: Defense<Kind, Schema>,
): Defense<Kind, Schema> {
  return defense;
}
