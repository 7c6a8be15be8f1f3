import { z } from "zod";
import { stepCounts, type TrainingSettings } from "../models/training.ts";
import { defineDefense, type Recipe } from "./defense.ts";
import { privateSteps } from "./private-steps.ts";
import { type PrivacySpent, privacySpent, type SampledGaussian } from "./rdp.ts";

/**
 * Differentially private training. Batch norm, which most models here have, ties the images of a batch together; so its statistics
 * stay those of the public start weights, in evaluation mode, and only its scale and shift train, image by image like other weights.
 * (Others replace it by group norm; start weights trained with batch norm would not fit that.)
 */
export const dpSgd = defineDefense({
  kind: "dp-sgd",
  summary: "clips each image's gradient and adds noise, so that no single training image can be told from the weights",
  paper: "Abadi et al., Deep Learning with Differential Privacy, CCS 2016",
  config: z.strictObject({
    noiseMultiplier: z
      .number()
      .positive()
      .default(1)
      .describe("σ: the noise on the sum of a step's gradients has the standard deviation σ·clip"),
    clip: z.number().positive().default(1).describe("C: no image's gradient, over all trained weights, is longer"),
    delta: z
      .number()
      .gt(0)
      .lt(1)
      .default(1e-5)
      .describe("δ of the (ε, δ) that the result states; well below 1 / the number of training images"),
    microbatch: z
      .int()
      .positive()
      .default(16)
      .describe(
        "images whose gradients are held in memory at a time; where images are augmented it also decides how each one is, else the result does not depend on it but for rounding",
      ),
  }),
  recipe: (config) => ({ steps: privateSteps(config), privacy: config }),
});

/** What a target's training costs in privacy. */
export interface TargetPrivacy extends PrivacySpent, SampledGaussian {
  readonly clip: number;
}

/**
 * The (ε, δ) of a target trained by a recipe, over all its phases, by adding or removing one training image; undefined for one without
 * DP-SGD. Images of the same person protect each other no further, and validation images are outside of it: with DP-SGD they choose
 * nothing.
 * @param images the number of training images
 */
export function privacyOf(
  { privacy, probeEpochs, first }: Recipe,
  settings: TrainingSettings,
  images: number,
): TargetPrivacy | undefined {
  if (privacy === undefined) return undefined;
  const { noiseMultiplier, clip, delta } = privacy;
  const phases = [probeEpochs, first?.epochs ?? 0, settings.epochs - (first?.epochs ?? 0)].filter((n) => n > 0);
  const counts = phases.map((epochs) => stepCounts({ ...settings, epochs }, images));
  const steps = counts.reduce((n, { total }) => n + total, 0);
  const mechanism = { noiseMultiplier, sampleRate: counts[0]!.batch / images, steps };
  return { ...mechanism, clip, ...privacySpent(mechanism, delta) };
}
