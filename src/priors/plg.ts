import { z } from "zod";
import { conditionalGenerator, conditionalQuick, conditionalSettings } from "./conditional-generator.ts";
import { criticRateSetting } from "./critic-rate.ts";
import { plgDiscriminator } from "./plg-networks.ts";
import { definePrior, type PriorNetworks, type PriorShape } from "./prior.ts";
import { averageSetting } from "./running-average.ts";
import { trainPlg } from "./train-plg.ts";

const config = z.strictObject({
  latent: z.int().positive().default(128).describe("length of z"),
  width: z.int().min(4).default(64).describe("channels at the full side; each halving doubles them"),
  top: z
    .int()
    .positive()
    .default(30)
    .describe("public images that are given to each class: those the target is surest of"),
  steps: z.int().positive().default(30000).describe("generator steps"),
  critic: z.int().positive().default(5).describe("discriminator steps before each generator step"),
  batch: z.int().min(2).default(64),
  rate: z.number().positive().default(2e-4).describe("learning rate of Adam, β (0, 0.9)"),
  criticRate: criticRateSetting,
  inversion: z
    .number()
    .min(0)
    .default(0.2)
    .describe("α, the weight of the target's max-margin loss on views of the fakes in the generator's loss"),
  average: averageSetting,
  ...conditionalSettings,
  flip: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("probability of a mirrored public image, and of a mirrored view of a fake"),
});

/** The resolved settings of this prior. */
export type PlgSettings = z.output<typeof config>;

const plgNetworks = (settings: PlgSettings, { image, classes }: PriorShape): PriorNetworks => ({
  latent: settings.latent,
  image,
  classes,
  generator: conditionalGenerator(settings, image, classes),
  discriminator: plgDiscriminator(image, settings.criticWidth ?? settings.width, classes),
  naturalness: (score) => score,
});

/** PLG-MI's prior: a conditional GAN over public images under pseudo-labels from the target, so it is trained anew for each target. */
export const plg = definePrior({
  kind: "plg",
  summary: "PLG-MI's conditional GAN, trained on the public images that the target takes for each private class",
  paper:
    "Yuan et al., Pseudo Label-Guided Model Inversion Attack via Conditional Generative Adversarial Network, AAAI 2023",
  perTarget: true,
  training: "conditional-prior",
  config,
  // In so few steps the target's guidance teaches the generator what fools the target, not what its people look like.
  quick: { ...conditionalQuick, settle: 150, steps: 300, rate: 2e-3, inversion: 0 },
  networks: plgNetworks,
  startsFrom: ({ from }) => from,
  train: async ({ settings, shape, images, target, ...rest }) =>
    trainPlg({
      networks: plgNetworks(settings, shape),
      images,
      scores: await target.scores(images),
      logits: target.logits,
      classes: shape.classes,
      settings,
      ...rest,
    }),
});
