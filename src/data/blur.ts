import type { Rng } from "../engine/random.ts";
import { type ImageSize, imageLength } from "./image-size.ts";

/** Standard deviations of a Gaussian that its kernel reaches to each side. */
const REACH = 3;

/**
 * Blurs about half of the first `count` images (NCHW, values in [0, 1]) in place, each by a Gaussian whose standard deviation is
 * uniform in (0, `largest`] pixels. Every image draws two numbers.
 */
export function blurSome(images: Float32Array, count: number, size: ImageSize, largest: number, rng: Rng): void {
  const length = imageLength(size);
  const scratch = new Float32Array(size.height * size.width);
  for (let i = 0; i < count; i++) {
    const chosen = rng.uniform() < 0.5;
    const deviation = largest * (1 - rng.uniform());
    if (chosen) blurImage(images.subarray(i * length, (i + 1) * length), scratch, size, deviation);
  }
}

/**
 * Blurs one CHW image in place by a Gaussian of that standard deviation in pixels; beyond its edges an image goes on as it ends.
 * @param scratch holds at least one channel.
 */
export function blurImage(image: Float32Array, scratch: Float32Array, size: ImageSize, deviation: number): void {
  const { channels, height, width } = size;
  const kernel = gaussian(deviation);
  for (let channel = 0; channel < channels; channel++) {
    const plane = image.subarray(channel * height * width, (channel + 1) * height * width);
    blurLines(plane, scratch, kernel, { lines: height, length: width, stride: width, step: 1 });
    blurLines(scratch, plane, kernel, { lines: width, length: height, stride: 1, step: width });
  }
}

/** Weights of a Gaussian from its middle outwards; both sides together sum to one. */
function gaussian(deviation: number): Float64Array {
  const weights = Float64Array.from({ length: Math.ceil(REACH * deviation) + 1 }, (_, at) =>
    Math.exp(-0.5 * (at / deviation) ** 2),
  );
  const total = 2 * weights.reduce((sum, weight) => sum + weight) - weights[0]!;
  return weights.map((weight) => weight / total);
}

/** How lines lie in a plane: line l begins at l · stride and goes on by `step`. */
interface Lines {
  readonly lines: number;
  readonly length: number;
  readonly stride: number;
  readonly step: number;
}

function blurLines(from: Float32Array, to: Float32Array, kernel: Float64Array, layout: Lines): void {
  const { lines, length, stride, step } = layout;
  const reach = kernel.length - 1;
  const padded = new Float64Array(length + 2 * reach);
  for (let line = 0; line < lines; line++) {
    const start = line * stride;
    for (let i = 0; i < padded.length; i++) {
      padded[i] = from[start + Math.min(length - 1, Math.max(0, i - reach)) * step]!;
    }
    for (let i = 0; i < length; i++) {
      let sum = kernel[0]! * padded[i + reach]!;
      for (let k = 1; k <= reach; k++) sum += kernel[k]! * (padded[i + reach - k]! + padded[i + reach + k]!);
      to[start + i * step] = sum;
    }
  }
}
