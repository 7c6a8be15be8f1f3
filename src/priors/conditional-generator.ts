import { z } from "zod";
import type { Layer } from "../models/layer.ts";
import { gmiGenerator, kernelSchema } from "./gmi-networks.ts";
import { plgGenerator } from "./plg-networks.ts";
import { isOfClasses } from "./with-classes.ts";

/** The settings of a GAN with classes that may start from the public prior without. */
export const conditionalSettings = {
  from: z
    .literal("dcgan")
    .optional()
    .describe(
      "the generator is that of the public prior `dcgan` and starts as it, its latent, width and kernel the same, with batch norms that learn of classes; without it it is the paper's, from random weights",
    ),
  kernel: kernelSchema.unwrap().optional().describe("side of the kernels of the prior that it starts from"),
  criticWidth: z
    .int()
    .min(4)
    .optional()
    .describe("channels of the discriminator at the full side; those of the generator where it is left out"),
  learns: z
    .enum(["all", "norms"])
    .optional()
    .describe(
      "which of the generator's weights learn: all, which is so where it is left out, or the scales and shifts of its batch norms alone, class by class, which leaves a trained generator's skill as it is (Noguchi & Harada, ICCV 2019)",
    ),
  settle: z
    .int()
    .min(0)
    .optional()
    .describe(
      "discriminator steps before the first of a generator that starts trained, which a random one would spoil",
    ),
};

/** What the quick presets of such GANs have in common: they start from that of `dcgan`, whose latent, width and kernel they have. */
export const conditionalQuick = {
  latent: 100,
  width: 32,
  from: "dcgan",
  kernel: 4,
  criticWidth: 16,
  critic: 1,
  batch: 32,
  learns: "norms",
  criticRate: 1e-3,
  average: 0.99,
  flip: 0,
} as const;

type Settings = z.output<z.ZodObject<typeof conditionalSettings>> & {
  readonly latent: number;
  readonly width: number;
};

/** Whether a weight of the generator learns, by its name. */
export function generatorLearns({ learns }: Pick<Settings, "learns">): (name: string) => boolean {
  return (name) => learns !== "norms" || isOfClasses(name);
}

/** The generator with classes that the settings name: [N, latent] to images. */
export function conditionalGenerator(
  { from, kernel, latent, width }: Settings,
  image: readonly [number, number, number],
  classes: number,
): Layer {
  return from === undefined
    ? plgGenerator(latent, image, width, classes)
    : gmiGenerator(latent, image, width, kernelSchema.parse(kernel), classes);
}
