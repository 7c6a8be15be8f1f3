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

/** Sums that are added to at the same time: one alone waits for its own additions most of the time. */
const ABREAST = 4;

function blurLines(from: Float32Array, to: Float32Array, kernel: Float64Array, layout: Lines): void {
  const { lines, length, stride, step } = layout;
  const reach = kernel.length - 1;
  const padded = new Float64Array(length + 2 * reach + ABREAST - 1);
  for (let line = 0; line < lines; line++) {
    const start = line * stride;
    for (let i = 0; i < length; i++) padded[i + reach] = from[start + i * step]!;
    const first = padded[reach]!;
    const last = padded[reach + length - 1]!;
    for (let i = 0; i < reach; i++) {
      padded[i] = first;
      padded[reach + length + i] = last;
    }
    for (let i = 0; i < length; i += ABREAST) {
      const middle = kernel[0]!;
      let low = i + reach;
      let high = low + ABREAST - 1;
      // Each step outwards, both windows of neighbours move on by one: one number is read for each, the others are at hand.
      let l0 = padded[low]!;
      let l1 = padded[low + 1]!;
      let l2 = padded[low + 2]!;
      let l3 = padded[high]!;
      let h0 = l0;
      let h1 = l1;
      let h2 = l2;
      let h3 = l3;
      let a = middle * l0;
      let b = middle * l1;
      let c = middle * l2;
      let d = middle * l3;
      for (let k = 1; k <= reach; k++) {
        const weight = kernel[k]!;
        l3 = l2;
        l2 = l1;
        l1 = l0;
        l0 = padded[--low]!;
        h0 = h1;
        h1 = h2;
        h2 = h3;
        h3 = padded[++high]!;
        a += weight * (l0 + h0);
        b += weight * (l1 + h1);
        c += weight * (l2 + h2);
        d += weight * (l3 + h3);
      }
      const at = start + i * step;
      to[at] = a;
      if (i + 1 < length) to[at + step] = b;
      if (i + 2 < length) to[at + 2 * step] = c;
      if (i + 3 < length) to[at + 3 * step] = d;
    }
  }
}
