import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { normalInitial } from "../models/initial.ts";
import type { Layer } from "../models/layer.ts";
import {
  batchNorm,
  conditionalBatchNorm,
  conv,
  convTranspose,
  instanceNorm,
  leakyRelu,
  linear,
  relu,
  reshape,
  sequential,
  sigmoid,
} from "../models/layers.ts";

const LEAK = 0.2;
// DCGAN's initial weights (Radford et al. 2016, section 4).
const initial = normalInitial(0.02);

/** Padding with which a stride of 2 halves a side exactly. */
const halvingPadding = (kernel: Kernel): number => kernel - 3;

/** How often a side halves until 4 pixels are left. @throws UserError for a side that is no such number. */
export function halvings(side: number): number {
  const times = Math.log2(side / 4);
  if (!Number.isInteger(times) || times < 2)
    throw new UserError(`a GAN of this kind makes images of 16, 32, 64, … pixels, not ${side}`);
  return times;
}

/** The side of a GAN's kernels: GMI's 5, or DCGAN's 4, which takes two thirds of the arithmetic. */
export const kernelSchema = z
  .union([z.literal(4), z.literal(5)])
  .default(5)
  .describe("side of the convolutions' kernels: 5 as in GMI, or 4, which is faster");
export type Kernel = z.output<typeof kernelSchema>;

/**
 * GMI's generator (Zhang et al. 2020; released code `Generator`): a linear layer to 4×4, then transposed convolutions with
 * stride 2, sigmoid at the end. `width` is the channels before the last layer (64 in the paper). With classes its batch norms are conditioned
 * on them.
 */
export function gmiGenerator(...sizes: Parameters<typeof gmiGeneratorBlocks>): Layer {
  return sequential(...gmiGeneratorBlocks(...sizes));
}

/** The same, side by side: latents to 4×4, 4×4 to 8×8, and so on up to the image. */
export function gmiGeneratorBlocks(
  latent: number,
  [channels, side]: readonly [number, number, number],
  width: number,
  kernel: Kernel,
  classes?: number,
): Layer[] {
  const norm = (path: string, length: number) =>
    classes === undefined ? batchNorm(path, length) : conditionalBatchNorm(path, length, classes);
  const ups = halvings(side);
  const widths = Array.from({ length: ups }, (_, i) => width * 2 ** (ups - 1 - i));
  const up = { stride: 2, padding: halvingPadding(kernel), outputPadding: kernel - 4, bias: false, initial } as const;
  const first = widths[0]! * 16;
  return [
    sequential(
      linear("l1.0", latent, first, { bias: false, initial }),
      norm("l1.1", first),
      relu,
      reshape([widths[0]!, 4, 4]),
    ),
    ...widths
      .slice(1)
      .map((to, i) =>
        sequential(convTranspose(`l2_5.${i}.0`, widths[i]!, to, kernel, up), norm(`l2_5.${i}.1`, to), relu),
      ),
    sequential(convTranspose(`l2_5.${ups - 1}`, width, channels, kernel, { ...up, bias: true }), sigmoid),
  ];
}

/** GMI's critic (released code `DGWGAN`): convolutions with stride 2 and instance norm, then 4×4 to one score. */
export function gmiCritic([channels, side]: readonly [number, number, number], width: number, kernel: Kernel): Layer {
  const downs = halvings(side);
  const down = { stride: 2, padding: halvingPadding(kernel), initial } as const;
  return sequential(
    conv("ls.0", channels, width, kernel, down),
    leakyRelu(LEAK),
    ...Array.from({ length: downs - 1 }, (_, i) => i).flatMap((i) => [
      conv(`ls.${i + 2}.0`, width * 2 ** i, width * 2 ** (i + 1), kernel, down),
      instanceNorm(`ls.${i + 2}.1`, width * 2 ** (i + 1)),
      leakyRelu(LEAK),
    ]),
    conv(`ls.${downs + 1}`, width * 2 ** (downs - 1), 1, 4, { initial }),
  );
}
