import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { linear, tanh } from "../models/layers.ts";
import { withHead } from "../models/model.ts";
import { defineDefense } from "./defense.ts";

/** Low-rank features: a narrow linear layer and tanh before the classifier. The paper's second part, a classification loss, is not included. */
export const lowRank = defineDefense({
  kind: "low-rank",
  summary: "a narrow layer in the head, so that logits depend on few directions of the features",
  paper: "Yu et al., CALoR: Towards Comprehensive Model Inversion Defense, 2024",
  config: z.strictObject({
    rank: z.int().positive().describe("width of the layer; fewer than the features"),
    tanh: z.boolean().default(true).describe("bound what it hands on by tanh"),
  }),
  reshape: {
    part: "head",
    model({ rank, tanh: bounded }, model) {
      const { features, classes } = model;
      if (rank >= features)
        throw new UserError(
          `low-rank: a rank of ${rank} takes nothing away, ${model.kind} has ${features} features; use fewer`,
        );
      const projection = linear("projection", features, rank, { bias: false });
      return withHead(model, projection, ...(bounded ? [tanh] : []), linear("fc", rank, classes));
    },
  },
  recipe: () => ({}),
});
