import { meanOf } from "./mean-of.ts";
import { defineMetric } from "./metric.ts";
import { closestPictures, single } from "./nearest-picture.ts";
import { squaredDistance } from "./nearest-reference.ts";

/** Mean squared error of rounding to 8 bits. Images are stored so: what agrees better agrees in full. */
const ROUNDING = 1 / 255 ** 2 / 12;

/** Peak signal-to-noise ratio 10 log₁₀(1 / MSE) of two images with values in [0, 1], in dB; 58.9 for images that agree to 8 bits. */
export function peakSignalToNoise(a: Float32Array, b: Float32Array): number {
  return -10 * Math.log10(Math.max(squaredDistance(a, b) / a.length, ROUNDING));
}

/** PSNR to the nearest private training image of the attacked class, pixel by pixel: high values mean a copied photograph, not a likeness. */
export const psnr = defineMetric({
  kind: "psnr",
  name: "PSNR",
  summary: "peak signal-to-noise ratio to the nearest private training image of the attacked identity, pixel by pixel",
  measures: "leakage",
  direction: "higher",
  unit: "dB",
  range: [0, -10 * Math.log10(ROUNDING)],
  ...meanOf((evidence) =>
    closestPictures(evidence, { prepare: single, compare: peakSignalToNoise, closest: Math.max }),
  ),
});
