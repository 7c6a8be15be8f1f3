import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import type { Value } from "../engine/graph.ts";
import { reshape, slice } from "../engine/ops/movement.ts";
import { resize } from "../engine/ops/resize.ts";
import { operation, sequential } from "../models/layers.ts";
import { definePrior, GENERATOR, type PriorShape, type StyledNetworks, weightsWithPrefix } from "./prior.ts";
import {
  forAllLayers,
  mappingNetwork,
  type StyleSizes,
  styleCount,
  styleDiscriminator,
  synthesisNetwork,
} from "./style-networks.ts";
import { readStyleganGenerator } from "./stylegan-checkpoint.ts";
import { type SynthesisParts, wholeSynthesis } from "./synthesis-parts.ts";
import { trainStylegan } from "./train-stylegan.ts";

const checkpoint = z.strictObject({
  file: z.string().min(1).describe("safetensors file with the tensors of G_ema under their own names"),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe(
      "digest of the file; written down when a study is read, so that another file of that name is another prior",
    ),
  side: z.int().positive().describe("side of the images that it makes; 1024 for FFHQ"),
  crop: z
    .int()
    .positive()
    .optional()
    .describe("side of the square in their middle that the target gets to see; PPA takes 800 of FFHQ's 1024"),
});

const config = z.strictObject({
  latent: z.int().positive().default(512).describe("length of z"),
  style: z.int().positive().default(512).describe("length of w"),
  mappingLayers: z.int().positive().default(8).describe("layers from z to w; 2 does for small images"),
  width: z
    .int()
    .min(4)
    .default(64)
    .describe("channels at the full side; each halving doubles them (32 for NVIDIA's 1024×1024 networks)"),
  maxWidth: z.int().min(4).default(512).describe("the most channels of a layer"),
  checkpoint: checkpoint
    .optional()
    .describe("a StyleGAN2-ADA generator that is read instead of training one; latent to maxWidth must be its own"),
  steps: z
    .int()
    .positive()
    .default(50000)
    .describe(
      "steps of both networks, without style mixing and path-length penalty (25 million images in the paper's code, at a batch of 64: 390,000)",
    ),
  batch: z.int().min(2).default(32),
  rate: z.number().positive().default(2.5e-3).describe("learning rate of Adam, β (0, 0.99)"),
  penalty: z
    .number()
    .min(0)
    .optional()
    .describe(
      "γ, weight of the R1 penalty; 0.0002·side²/batch where it is left out, StyleGAN2-ADA's heuristic; slopes are those at images in [0, 1], whose squares are 4 times those at images in [−1, 1]: γ here does what 4γ does there",
    ),
  lazy: z.int().positive().default(16).describe("the penalty is measured every so many steps, and counts as often"),
  average: z
    .number()
    .min(0)
    .lt(1)
    .default(0.998)
    .describe("decay of a running average of the generator's weights, which is then the prior; 0: the last weights"),
  flip: z.number().min(0).max(1).default(0.5).describe("probability of a mirrored public image"),
});

/** The resolved settings of this prior. */
export type StyleganSettings = z.output<typeof config>;

/** Images at the generator's own side to those that the target gets. */
function framed({ checkpoint: given }: StyleganSettings, side: number): (images: Value) => Value {
  if (given === undefined) return (x) => x;
  const { side: own, crop = own } = given;
  if (crop > own) throw new UserError(`stylegan: a crop of ${crop} does not fit into images of ${own}×${own}`);
  const start = Math.floor((own - crop) / 2);
  return (x) => {
    const [n, c] = x.shape as [number, number];
    const cut = slice(x, [0, 0, start, start], [n, c, start + crop, start + crop]);
    return resize(cut, side, side, "antialiased");
  };
}

function styleganNetworks(settings: StyleganSettings, { image }: PriorShape): StyledNetworks {
  const sizes: StyleSizes = { ...settings, image };
  const own = settings.checkpoint?.side;
  const made: StyleSizes = own === undefined ? sizes : { ...sizes, image: [image[0], own, own] };
  const mapping = mappingNetwork(made);
  const { blocks, finish } = synthesisNetwork(made);
  const frame = framed(settings, image[1]);
  const parts: SynthesisParts = { blocks, finish: (last, c) => frame(finish(last, c)) };
  const synthesis = wholeSynthesis(parts);
  const count = styleCount(made);
  return {
    latent: settings.latent,
    image,
    generator: sequential(
      mapping,
      operation((w) => forAllLayers(w, count)),
      synthesis,
    ),
    discriminator: styleDiscriminator(sizes),
    naturalness: (score) => reshape(score, [score.shape[0]!]),
    // About as many pixels at a time whatever their side, for memory's sake.
    batch: Math.max(1, Math.min(64, Math.floor(64 * (128 / made.image[1]) ** 2))),
    styles: { length: settings.style, count, mapping, synthesis, parts },
  };
}

/**
 * A StyleGAN2 of any size: trained on the public images, or read. Its styles are what attacks search: w, or w+ with one for each layer.
 * Training leaves out style mixing and the path-length penalty.
 */
export const stylegan = definePrior({
  kind: "stylegan",
  summary: "StyleGAN2, trained on the public images alone, or NVIDIA's own read from a file",
  paper: "Karras et al., Analyzing and Improving the Image Quality of StyleGAN, CVPR 2020",
  perTarget: false,
  training: "prior",
  config,
  quick: {
    latent: 64,
    style: 64,
    mappingLayers: 2,
    width: 16,
    maxWidth: 64,
    steps: 6000,
    batch: 16,
    flip: 0,
  },
  networks: styleganNetworks,
  async train({ settings, shape, ...rest }) {
    const networks = styleganNetworks(settings, shape);
    const { checkpoint: given } = settings;
    if (given === undefined) return trainStylegan({ networks, settings, ...rest });
    // Nobody publishes its discriminator as a part of the generator: how natural an image is, such a prior does not say.
    return weightsWithPrefix(GENERATOR, await readStyleganGenerator(given.file, networks.generator, given.sha256));
  },
});
