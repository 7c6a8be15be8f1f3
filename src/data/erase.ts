import { z } from "zod";
import type { Rng } from "../engine/random.ts";
import { GREY } from "./augment.ts";
import { type ImageSize, imageLength } from "./image-size.ts";

/** Random erasing (Zhong et al., AAAI 2020): a rectangle of an image, anywhere in it, is covered. */
export const Erasing = z
  .strictObject({
    probability: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe("share of the images that are covered, anew in each epoch"),
    minArea: z.number().gt(0).lt(1).default(0.1).describe("least share of an image that is covered"),
    maxArea: z.number().gt(0).lt(1).default(0.4).describe("largest share of an image that is covered"),
    fill: z
      .union([z.enum(["mean", "random"]), z.number().min(0).max(1)])
      .default("mean")
      .describe("mean: ImageNet's mean colour; random: every value uniform in [0, 1]; or one value for all"),
  })
  .refine(({ minArea, maxArea }) => minArea <= maxArea, {
    path: ["maxArea"],
    error: "must not be less than minArea",
  });
export type Erasing = z.output<typeof Erasing>;

/** Height over width of the rectangle lies between this and its inverse (torchvision's 0.3 … 3.3). */
const LEAST_RATIO = 0.3;
/** Tries to fit a rectangle, as in torchvision; where none fits, the image stays. */
const TRIES = 10;

/** ImageNet's mean red, green and blue, and their grey. */
const MEAN_COLOUR = [0.485, 0.456, 0.406] as const;
const MEAN_GREY = GREY[0] * MEAN_COLOUR[0] + GREY[1] * MEAN_COLOUR[1] + GREY[2] * MEAN_COLOUR[2];

/** Covers a rectangle of each of the first `count` images (NCHW, values in [0, 1]) in place. */
export function erase(images: Float32Array, count: number, size: ImageSize, settings: Erasing, rng: Rng): void {
  const length = imageLength(size);
  for (let i = 0; i < count; i++) {
    if (rng.uniform() >= settings.probability) continue;
    const box = drawBox(size, settings, rng);
    if (box !== undefined) cover(images.subarray(i * length, (i + 1) * length), size, box, settings.fill, rng);
  }
}

interface Box {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

function drawBox({ height, width }: ImageSize, { minArea, maxArea }: Erasing, rng: Rng): Box | undefined {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const area = height * width * (minArea + (maxArea - minArea) * rng.uniform());
    const ratio = LEAST_RATIO ** (1 - 2 * rng.uniform());
    const rows = Math.round(Math.sqrt(area * ratio));
    const columns = Math.round(Math.sqrt(area / ratio));
    if (rows >= height || columns >= width) continue;
    return { top: rng.int(height - rows + 1), left: rng.int(width - columns + 1), rows, columns };
  }
  return undefined;
}

function cover(
  image: Float32Array,
  { channels, height, width }: ImageSize,
  { top, left, rows, columns }: Box,
  fill: Erasing["fill"],
  rng: Rng,
): void {
  for (let channel = 0; channel < channels; channel++) {
    const mean = channels === 3 ? MEAN_COLOUR[channel]! : MEAN_GREY;
    const value = typeof fill === "number" ? fill : mean;
    for (let y = top; y < top + rows; y++) {
      const at = (channel * height + y) * width + left;
      for (let x = at; x < at + columns; x++) image[x] = fill === "random" ? rng.uniform() : value;
    }
  }
}
