import { z } from "zod";
import { input, type Value } from "../engine/graph.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { concat, reshape } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import type { Rng } from "../engine/random.ts";
import { randomViews } from "../models/random-views.ts";

/** The setting of an attack that can average its gradients over copies of each image. */
export const alignSettings = {
  align: z
    .strictObject({
      kind: z.enum(["paa", "taa"]).describe("copies with noise (`paa`), or randomly cropped and mirrored ones (`taa`)"),
      samples: z.int().positive().default(50).describe("K, copies of each image; a step asks the target as often"),
      noise: z
        .number()
        .positive()
        .default(0.05)
        .describe("`paa`: standard deviation of the noise, in shares of the pixels' range"),
      crop: z.number().gt(0).max(1).default(0.8).describe("`taa`: least share of the image's area in a copy"),
      flip: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe("`taa`: probability of a mirrored copy; 0 for images whose mirror image shows another class"),
      measured: z
        .int()
        .min(0)
        .default(0)
        .describe(
          "so many reconstructions have their gradient's alignment with the generator logged, at the first and after the last iteration",
        ),
    })
    .optional()
    .describe(
      "AlignMI: the identity loss is the mean over copies of each image, so that its gradient lies nearer to what the generator can draw",
    ),
};

/** How an attack averages its gradients (AlignMI). */
export type Align = NonNullable<z.output<typeof alignSettings.align>>;

/** Ratio of width to height of a crop. */
const RATIO = [0.9, 1.1] as const;

/** An identity loss and what the graph is fed for one draw of the copies that it is averaged over. */
export interface AlignedRows {
  /** The loss of each image, [N]. */
  readonly rows: Value;
  draw(rng: Rng): Readonly<Record<string, Float32Array>>;
}

/**
 * The loss of each image averaged over random copies of it, of the image itself without the setting. A mean of losses has the mean of
 * their gradients: the averaged gradient is the loss's own (Peng et al., Generative Model Inversion Through the Lens of the Manifold
 * Hypothesis, NeurIPS 2025, PAA and TAA; the rotations of TAA by a few degrees are left out).
 * @param images [N, C, side, side], values in [0, 1]
 * @param wanted one-hot rows [N, K]
 * @param rowsOf losses [n] of n images for n one-hot rows, of which `copies` batches stand one behind the other
 */
export function alignedRows(
  align: Align | undefined,
  images: Value,
  wanted: Value,
  rowsOf: (images: Value, wanted: Value, copies: number) => Value,
  name = "align",
): AlignedRows {
  if (align === undefined) return { rows: rowsOf(images, wanted, 1), draw: () => ({}) };
  const { samples } = align;
  const repeated = (v: Value) => concat(Array<Value>(samples).fill(v), 0);
  const { copies, draw } = copiesOf(align, repeated(images), name);
  const losses = rowsOf(copies, repeated(wanted), samples);
  return { rows: mean(reshape(losses, [samples, images.shape[0]!]), [0]), draw };
}

function copiesOf(align: Align, images: Value, name: string) {
  if (align.kind === "taa") {
    const views = randomViews(images, { scale: [align.crop, 1], ratio: RATIO, flip: align.flip }, name);
    return { copies: views.images, draw: views.draw };
  }
  const noise = input(`${name}/noise`, images.shape);
  return {
    copies: add(images, mul(noise, align.noise)),
    draw: (rng: Rng) => ({ [`${name}/noise`]: rng.normals(images.shape.reduce((a, b) => a * b, 1)) }),
  };
}
