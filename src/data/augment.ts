import { z } from "zod";
import type { Rng } from "../engine/random.ts";
import { type ImageSize, imageLength } from "./image-size.ts";

const Jitter = z.number().min(0).max(1).default(0);

/** Random changes to training images; everything is off by default. */
export const Augmentation = z.strictObject({
  flip: z.number().min(0).max(1).default(0).describe("probability of a mirrored image"),
  crop: z.int().min(0).default(0).describe("pixels of black padding on each side before a random crop to the old size"),
  brightness: Jitter.describe("factor drawn from [1 − x, 1 + x]"),
  contrast: Jitter.describe("factor drawn from [1 − x, 1 + x], around the image's mean grey"),
  saturation: Jitter.describe("factor drawn from [1 − x, 1 + x], around each pixel's grey; nothing for grey images"),
  blur: z
    .number()
    .positive()
    .max(8)
    .optional()
    .describe("half of the images are blurred by a Gaussian with a standard deviation of up to so many pixels"),
});
export type Augmentation = z.output<typeof Augmentation>;

/** Weights of red, green and blue in grey (ITU-R BT.601, as in torchvision). */
export const GREY = [0.299, 0.587, 0.114] as const;

/**
 * Changes the first `count` images (NCHW, values in [0, 1]) in place. Every image draws the same six numbers whatever is
 * switched on, so that one setting does not move another's draws. Order: flip, crop, brightness, contrast, saturation; colour
 * values are clamped to [0, 1] after each. Blur has a stream of its own: see `blurSome`.
 */
export function augment(images: Float32Array, count: number, size: ImageSize, settings: Augmentation, rng: Rng): void {
  const length = imageLength(size);
  const scratch = new Float32Array(settings.crop > 0 ? length : 0);
  for (let i = 0; i < count; i++) {
    const image = images.subarray(i * length, (i + 1) * length);
    const mirror = rng.uniform();
    const down = rng.uniform();
    const right = rng.uniform();
    const brightness = rng.uniform();
    const contrast = rng.uniform();
    const saturation = rng.uniform();
    if (mirror < settings.flip) flipImage(image, size);
    if (settings.crop > 0) {
      const reach = 2 * settings.crop + 1;
      shiftImage(
        image,
        scratch,
        size,
        Math.floor(down * reach) - settings.crop,
        Math.floor(right * reach) - settings.crop,
      );
    }
    if (settings.brightness > 0) scaleBrightness(image, factor(brightness, settings.brightness));
    if (settings.contrast > 0) scaleContrast(image, size, factor(contrast, settings.contrast));
    if (settings.saturation > 0) scaleSaturation(image, size, factor(saturation, settings.saturation));
  }
}

function factor(uniform: number, strength: number): number {
  return 1 - strength + 2 * strength * uniform;
}

/** Mirrors one CHW image left to right, in place. */
export function flipImage(image: Float32Array, { channels, height, width }: ImageSize): void {
  for (let row = 0; row < channels * height; row++) image.subarray(row * width, (row + 1) * width).reverse();
}

/**
 * Moves one CHW image in place so that pixel (y, x) shows what was at (y + down, x + right); what comes from outside is black.
 * With offsets in [−p, p] this is a crop of the image padded by p.
 * @param scratch holds at least one image.
 */
export function shiftImage(
  image: Float32Array,
  scratch: Float32Array,
  size: ImageSize,
  down: number,
  right: number,
): void {
  const { channels, height, width } = size;
  scratch.set(image);
  image.fill(0);
  const fromColumn = Math.max(0, right);
  const columns = Math.min(width, width + right) - fromColumn;
  if (columns <= 0) return;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      const from = (channel * height + y + down) * width + fromColumn;
      image.set(scratch.subarray(from, from + columns), (channel * height + y) * width + fromColumn - right);
    }
  }
}

/** `x · f`, clamped to [0, 1]. */
export function scaleBrightness(image: Float32Array, f: number): void {
  for (let i = 0; i < image.length; i++) image[i] = clamp(image[i]! * f);
}

/** `m + (x − m) · f` with m the image's mean grey, clamped to [0, 1]. */
export function scaleContrast(image: Float32Array, size: ImageSize, f: number): void {
  const pixels = size.height * size.width;
  let sum = 0;
  if (size.channels === 3) {
    for (let i = 0; i < pixels; i++) sum += greyOf(image, i, pixels);
  } else {
    for (let i = 0; i < image.length; i++) sum += image[i]! / size.channels;
  }
  const mean = sum / pixels;
  for (let i = 0; i < image.length; i++) image[i] = clamp(mean + (image[i]! - mean) * f);
}

/** `g + (x − g) · f` with g each pixel's grey, clamped to [0, 1]; leaves images that are not RGB as they are. */
export function scaleSaturation(image: Float32Array, size: ImageSize, f: number): void {
  if (size.channels !== 3) return;
  const pixels = size.height * size.width;
  for (let i = 0; i < pixels; i++) {
    const grey = greyOf(image, i, pixels);
    for (let at = i; at < image.length; at += pixels) image[at] = clamp(grey + (image[at]! - grey) * f);
  }
}

function greyOf(image: Float32Array, pixel: number, pixels: number): number {
  return GREY[0] * image[pixel]! + GREY[1] * image[pixel + pixels]! + GREY[2] * image[pixel + 2 * pixels]!;
}

function clamp(value: number): number {
  // Faster than by Math.min and Math.max, which also tell zeros of two signs apart.
  if (value < 0) return 0;
  if (value > 1) return 1;
  return value;
}
