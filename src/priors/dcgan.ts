import { z } from "zod";
import { reshape } from "../engine/ops/movement.ts";
import { criticRateSetting } from "./critic-rate.ts";
import { gmiCritic, gmiGenerator, kernelSchema } from "./gmi-networks.ts";
import { definePrior, type PriorNetworks, type PriorShape } from "./prior.ts";
import { trainWganGp } from "./train-wgan-gp.ts";

/** How GMI's GAN is built and trained; the widths, the batch and the critic's steps are the paper's. */
const config = z.strictObject({
  latent: z.int().positive().default(100).describe("length of z"),
  width: z.int().min(4).default(64).describe("channels at the full side; each halving doubles them"),
  kernel: kernelSchema,
  steps: z
    .int()
    .positive()
    .default(60000)
    .describe(
      "generator steps (the paper's code: 26,250, since its 280 epochs of 30,000 images are 131,250 critic steps, five before each)",
    ),
  critic: z.int().positive().default(5).describe("critic steps before each generator step"),
  batch: z.int().min(2).default(64),
  rate: z.number().positive().default(2e-4).describe("learning rate of Adam, β (0.5, 0.999)"),
  criticRate: criticRateSetting,
  penalty: z.number().min(0).default(10).describe("weight of the gradient penalty"),
  penaltyBatch: z
    .int()
    .min(1)
    .optional()
    .describe("images a step on which the penalty is measured; all where it is left out"),
  average: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      "decay of a running average of the generator's weights, which is then the prior; 0: the last weights, as in the paper",
    ),
  flip: z.number().min(0).max(1).default(0.5).describe("probability of a mirrored public image"),
});

/** The resolved settings of this prior. */
export type DcganSettings = z.output<typeof config>;

const dcganNetworks = ({ latent, width, kernel }: DcganSettings, { image }: PriorShape): PriorNetworks => ({
  latent,
  image,
  generator: gmiGenerator(latent, image, width, kernel),
  discriminator: gmiCritic(image, width, kernel),
  naturalness: (score) => reshape(score, [score.shape[0]!]),
});

/** The prior of GMI: a DCGAN trained as WGAN-GP on the public images alone. */
export const dcgan = definePrior({
  kind: "dcgan",
  summary: "GMI's generator and critic, trained as WGAN-GP on the public images alone",
  paper:
    "Zhang et al., The Secret Revealer: Generative Model-Inversion Attacks Against Deep Neural Networks, CVPR 2020",
  perTarget: false,
  training: "prior",
  config,
  quick: {
    width: 32,
    kernel: 4,
    steps: 9000,
    critic: 1,
    batch: 32,
    criticRate: 4e-4,
    penaltyBatch: 16,
    average: 0.998,
    flip: 0,
  },
  networks: dcganNetworks,
  train: ({ settings, shape, ...rest }) => trainWganGp({ networks: dcganNetworks(settings, shape), settings, ...rest }),
});
