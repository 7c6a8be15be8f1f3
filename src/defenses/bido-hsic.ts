import { z } from "zod";
import { BIDO_PAPER, bidoConfig, bidoPenalty } from "./bido.ts";
import { defineDefense } from "./defense.ts";
import { hsic } from "./dependence.ts";

/** Bilateral dependency optimisation, measured by the normalised Hilbert–Schmidt independence criterion. */
export const bidoHsic = defineDefense({
  kind: "bido-hsic",
  summary: "hidden features that depend less on the image and more on the label, measured by HSIC",
  paper: BIDO_PAPER,
  // The weights are those of the paper's VGG16 on CelebA.
  config: bidoConfig({ lambdaX: 0.05, lambdaY: 0.5 }).extend({
    epsilon: z
      .number()
      .min(1e-7)
      .default(1e-5)
      .describe("ridge of the normalisation, for each image of a batch; smaller ones amplify rounding"),
  }),
  recipe: (config, model) => ({ penalties: [bidoPenalty(config, model, (k, l) => hsic(k, l, config.epsilon))] }),
});
