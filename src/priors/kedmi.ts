import { z } from "zod";
import { softplus } from "../engine/ops/activation.ts";
import { sub } from "../engine/ops/elementwise.ts";
import { logSumExp } from "../engine/ops/reduce.ts";
import type { Layer } from "../models/layer.ts";
import { conv, flatten, instanceNorm, leakyRelu, linear, sequential } from "../models/layers.ts";
import { dcgan } from "./dcgan.ts";
import { gmiGenerator, halvings, kernelSchema } from "./gmi-networks.ts";
import { minibatchDiscrimination } from "./minibatch-discrimination.ts";
import { definePrior, type PriorNetworks } from "./prior.ts";
import { softLabels } from "./soft-labels.ts";
import { trainKedmi } from "./train-kedmi.ts";

const LEAK = 0.2;

const config = z.strictObject({
  latent: z.int().positive().default(100).describe("length of z"),
  width: z.int().min(4).default(64).describe("channels at the full side; each halving doubles them"),
  kernel: kernelSchema.describe("side of the generator's kernels: 5 as in GMI, or 4, which is faster"),
  steps: z
    .int()
    .positive()
    .default(11000)
    .describe("generator steps (the paper's code: 120 epochs of 30,000 images, every fifth step)"),
  critic: z.int().positive().default(5).describe("discriminator steps before each generator step"),
  batch: z.int().min(2).default(64),
  rate: z.number().positive().default(2e-4).describe("learning rate of Adam, β (0.5, 0.999)"),
  entropy: z
    .number()
    .min(0)
    .default(6.4e-3)
    .describe(
      "weight of the mean entropy of the fakes' classes in the generator's loss (the paper's code: 1e-4 times its sum over a batch of 64)",
    ),
  kernels: z.int().min(1).default(64).describe("numbers that minibatch discrimination adds to the features"),
  kernelRows: z.int().min(1).default(50).describe("length of the vectors that it compares"),
  resume: z.boolean().default(true).describe("start the generator from the public prior where that has the same shape"),
});

/** The resolved settings of this prior. */
export type KedmiSettings = z.output<typeof config>;

/** KEDMI's discriminator: a feature trunk, and one logit a private class. Z(x) = ln Σ exp D_k(x) says how real an image is. */
export interface KedmiNetworks extends PriorNetworks {
  /** [N, C, H, W] to the flattened features that the generator matches. */
  readonly trunk: Layer;
  /** Features to class logits, with minibatch discrimination in between. */
  readonly classHead: Layer;
}

/** Builds generator and `MinibatchDiscriminator` (released code): convolutions with stride 2 and instance norm down to 4×4. */
export function kedmiNetworks(
  { latent, width, kernel, kernels, kernelRows }: KedmiSettings,
  image: readonly [number, number, number],
  classes: number,
): KedmiNetworks {
  const [channels, side] = image;
  const downs = halvings(side);
  const widths = Array.from({ length: downs }, (_, i) => width * 2 ** Math.min(i, 2));
  const layers = widths.flatMap((to, i) => {
    const reach = i < 3 ? 5 : 3;
    const from = i === 0 ? channels : widths[i - 1]!;
    return [
      conv(`layer${i + 1}.0`, from, to, reach, { stride: 2, padding: (reach - 1) / 2 }),
      instanceNorm(`layer${i + 1}.1`, to),
      leakyRelu(LEAK),
    ];
  });
  const trunk = sequential(...layers, flatten);
  const features = widths.at(-1)! * 16;
  const classHead = sequential(
    minibatchDiscrimination("mbd1", features, kernels, kernelRows),
    linear("fc_layer", features + kernels, classes),
  );
  return {
    latent,
    image,
    generator: gmiGenerator(latent, image, width, kernel),
    discriminator: sequential(trunk, classHead),
    trunk,
    classHead,
    // ln of the probability of "real", S / (S + 1) with S = Σ exp D_k: the negative of the paper's prior loss.
    naturalness(logits) {
      const z = logSumExp(logits);
      return sub(z, softplus(z));
    },
  };
}

/** KEDMI's inversion-specific GAN: its discriminator learns the target's soft labels, so it is trained anew for each target. */
export const kedmi = definePrior({
  kind: "kedmi",
  summary: "KEDMI's inversion-specific GAN, trained on public images with the attacked target's soft labels",
  paper: "Chen et al., Knowledge-Enriched Distributional Model Inversion Attacks, ICCV 2021",
  perTarget: true,
  training: "inversion-prior",
  config,
  quick: { width: 32, kernel: 4, steps: 70, critic: 1, batch: 32, entropy: 1e-4, kernels: 16, kernelRows: 16 },
  networks: (settings, { image, classes }) => kedmiNetworks(settings, image, classes),
  startsFrom: ({ resume }) => (resume ? dcgan.kind : undefined),
  async train({ settings, shape: { image, classes }, images, target, ...rest }) {
    const scorer = await target.scorer(settings.batch);
    const labels = softLabels(scorer, images.size, classes);
    const networks = kedmiNetworks(settings, image, classes);
    try {
      return await trainKedmi({ networks, images, softLabels: labels, classes, settings, ...rest });
    } finally {
      await scorer.release();
    }
  },
});
