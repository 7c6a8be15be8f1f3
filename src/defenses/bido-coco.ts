import { BIDO_PAPER, bidoConfig, bidoPenalty } from "./bido.ts";
import { defineDefense } from "./defense.ts";
import { coco } from "./dependence.ts";

/** Bilateral dependency optimisation, measured by the constrained covariance. */
export const bidoCoco = defineDefense({
  kind: "bido-coco",
  summary: "hidden features that depend less on the image and more on the label, measured by COCO",
  paper: BIDO_PAPER,
  // The released code's weights for this measure (on MNIST).
  config: bidoConfig({ lambdaX: 1, lambdaY: 50 }),
  recipe: (config, model) => ({ penalties: [bidoPenalty(config, model, coco)] }),
});
