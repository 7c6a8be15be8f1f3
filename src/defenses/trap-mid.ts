import { z } from "zod";
import { defineDefense } from "./defense.ts";
import { trapSteps } from "./trap-steps.ts";

/**
 * Trapdoors: each class gets an almost invisible trigger that the model learns to take for the class. A search for the class finds the
 * trigger, which is easier to reach than a face.
 */
export const trapMid = defineDefense({
  kind: "trap-mid",
  summary:
    "trains the model to see a class in an almost invisible trigger, which inversion then finds in place of the person",
  paper: "Liu & Chen, Trap-MID: Trapdoor-based Defense against Model Inversion Attacks, NeurIPS 2024",
  config: z.strictObject({
    blend: z.number().gt(0).lt(1).default(0.02).describe("α: the trigger's share of an image that carries it"),
    weight: z.number().gt(0).lt(1).default(0.2).describe("β: the share of the loss at images with triggers"),
    step: z
      .number()
      .positive()
      .max(1)
      .default(0.01)
      .describe("what a step of training moves each number of a trigger by"),
  }),
  recipe: (config, model) => ({ steps: trapSteps(config, model) }),
});
