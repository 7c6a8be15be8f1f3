import { z } from "zod";
import { conditionalGenerator, conditionalQuick, conditionalSettings } from "./conditional-generator.ts";
import { criticRateSetting } from "./critic-rate.ts";
import { definePrior, type PriorNetworks, type PriorShape } from "./prior.ts";
import { averageSetting } from "./running-average.ts";
import { classLogits, reality, tacganDiscriminator } from "./tacgan-networks.ts";
import { trainTacgan } from "./train-tacgan.ts";

const config = z.strictObject({
  latent: z.int().positive().default(128).describe("length of z"),
  width: z.int().min(4).default(64).describe("channels at the full side; each halving doubles them"),
  unconditional: z
    .int()
    .min(0)
    .default(1000)
    .describe("first generator steps, which learn images without classes and ask the target nothing"),
  steps: z.int().positive().default(20000).describe("generator steps, the first ones among them"),
  critic: z.int().positive().default(5).describe("discriminator steps before each generator step"),
  batch: z.int().min(2).default(128).describe("images a step; each discriminator step asks for as many labels"),
  rate: z.number().positive().default(2e-4).describe("learning rate of Adam, β (0, 0.9)"),
  criticRate: criticRateSetting,
  classWeight: z
    .number()
    .min(0)
    .default(1.5)
    .describe("α, the weight of the class terms in both losses; 1.5 in the released code's instructions"),
  average: averageSetting,
  ...conditionalSettings,
  flip: z.number().min(0).max(1).default(0.5).describe("probability of a mirrored public image"),
});

/** The resolved settings of this prior. */
export type TacganSettings = z.output<typeof config>;

const tacganNetworks = (settings: TacganSettings, { image, classes }: PriorShape): PriorNetworks => ({
  latent: settings.latent,
  image,
  classes,
  generator: conditionalGenerator(settings, image, classes),
  discriminator: tacganDiscriminator(image, settings.criticWidth ?? settings.width, classes),
  naturalness: reality,
  recognise: classLogits,
});

/**
 * LOKT's prior: a GAN with a class head over public images, whose classes are the labels that the target gives to its fakes. Its
 * discriminator is a first copy of the target. Trained anew for each target, from labels alone.
 */
export const tacgan = definePrior({
  kind: "tacgan",
  summary: "LOKT's T-ACGAN, whose discriminator also learns the labels that the target gives to fakes",
  paper: "Nguyen et al., Label-Only Model Inversion Attacks via Knowledge Transfer, NeurIPS 2023",
  perTarget: "labels",
  training: "label-prior",
  config,
  quick: { ...conditionalQuick, settle: 200, unconditional: 0, steps: 400, critic: 2, rate: 3e-3 },
  networks: tacganNetworks,
  startsFrom: ({ from }) => from,
  train: ({ settings, shape, target, ...rest }) =>
    trainTacgan({ networks: tacganNetworks(settings, shape), target, classes: shape.classes, settings, ...rest }),
});
