import { z } from "zod";
import { boundaryOf, Freeze } from "./boundary.ts";
import { defineDefense } from "./defense.ts";

/** Transfer learning as a defense: private images only ever train the stages after the boundary. */
export const tlDmi = defineDefense({
  kind: "tl-dmi",
  summary: "starts from public weights, freezes the early stages, and fine-tunes the rest on the private images",
  paper: "Ho et al., Model Inversion Robustness: Can Transfer Learning Help?, CVPR 2024",
  config: z.strictObject({
    freeze: Freeze,
    probeEpochs: z
      .number()
      .min(0)
      .default(0)
      .describe("epochs in which the head alone is trained first (two-stage recipe)"),
    frozenNorms: z
      .enum(["eval", "train"])
      .default("eval")
      .describe(
        "frozen batch norms keep their statistics (eval), or follow the private data as in the released code (train)",
      ),
  }),
  recipe: ({ freeze, probeEpochs, frozenNorms }, model) => ({
    start: "pretrained",
    boundary: boundaryOf(freeze, model),
    probeEpochs,
    frozenNorms,
  }),
});
