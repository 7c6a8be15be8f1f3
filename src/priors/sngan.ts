import { z } from "zod";
import { plgDiscriminator, plgGenerator } from "./plg-networks.ts";
import { definePrior, type PriorNetworks, type PriorShape } from "./prior.ts";
import { averageSetting } from "./running-average.ts";
import { trainHinge } from "./train-hinge.ts";

const config = z.strictObject({
  latent: z.int().positive().default(128).describe("length of z"),
  width: z.int().min(4).default(64).describe("channels at the full side; each halving doubles them"),
  steps: z.int().positive().default(100_000).describe("generator steps"),
  critic: z.int().positive().default(5).describe("discriminator steps before each generator step"),
  batch: z.int().min(2).default(64),
  rate: z.number().positive().default(2e-4).describe("learning rate of Adam, β (0, 0.9)"),
  average: averageSetting,
  flip: z.number().min(0).max(1).default(0.5).describe("probability of a mirrored public image"),
});

const snganNetworks = (
  { latent, width }: z.output<typeof config>,
  { image }: Pick<PriorShape, "image">,
): PriorNetworks => ({
  latent,
  image,
  generator: plgGenerator(latent, image, width),
  discriminator: plgDiscriminator(image, width),
  naturalness: (score) => score,
});

/** A residual GAN with spectral norm and hinge loss: PLG-MI's and LOKT's networks before they learn of classes. */
export const sngan = definePrior({
  kind: "sngan",
  summary: "residual GAN with spectral norm on public images: what PLG-MI's and LOKT's GANs can start from",
  paper: "Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018",
  perTarget: false,
  training: "prior",
  config,
  quick: { width: 16, steps: 4000, critic: 1, batch: 32, rate: 4e-4, average: 0.998, flip: 0 },
  networks: snganNetworks,
  train: ({ settings, shape, images, seed, work }) =>
    trainHinge({ name: "sngan", networks: snganNetworks(settings, shape), images, settings, seed, work }),
});
