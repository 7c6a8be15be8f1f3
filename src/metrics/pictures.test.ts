import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evidenceOf, picturesOf } from "../../test/support/evidence.ts";
import { random } from "../engine/random.ts";
import { single } from "./nearest-picture.ts";
import { perceptualDistance } from "./perceptual-distance.ts";
import { peakSignalToNoise, psnr } from "./psnr.ts";
import { ssim, structuralSimilarity } from "./ssim.ts";

const SIZE = { channels: 1, height: 2, width: 1 };

/** Evidence of images of two pixels. */
function pixels(reconstructions: [number, number[]][], references: [number, number[]][]) {
  const images = (rows: [number, number[]][]) => Float32Array.from(rows.flatMap(([, values]) => values));
  const labels = (rows: [number, number[]][]) => Int32Array.from(rows, ([label]) => label);
  return evidenceOf(3, {
    reconstructions: {
      labels: labels(reconstructions),
      features: new Float32Array(0),
      logits: new Float32Array(0),
    },
    pictures: picturesOf(SIZE, images(reconstructions), { labels: labels(references), images: images(references) }),
  });
}

const references: [number, number[]][] = [
  [0, [0, 0]],
  [1, [0.5, 0.5]],
  [0, [1, 1]],
  [0, [0.5, 1]],
];

test("PSNR and perceptual distance look for the nearest private image of the class, over several batches", async () => {
  const e = pixels(
    [
      [0, [0.5, 0.9]],
      [1, [0.5, 0.4]],
      [0, [0.1, 0.1]],
    ],
    references,
  );
  // Mean squared errors 0.005, 0.005, 0.01; the embedding is the image itself, so its squared distance is twice that.
  expect((await psnr.measure(e))?.value).toBeCloseTo((20 + 2 * (20 + 10 * Math.log10(2))) / 3, 4);
  expect((await perceptualDistance.measure(e))?.value).toBeCloseTo((0.01 + 0.01 + 0.02) / 3, 6);
  const [zero, one, two] = await perceptualDistance.perIdentity(e);
  expectAllClose([zero!, one!], [0.015, 0.01], { absolute: 1e-6 });
  expect(two).toBeNaN();
});

test("PSNR: 20 dB for a tenth of the range, symmetric, and no more than rounding to 8 bits allows", () => {
  const [a, b] = [Float32Array.of(0.2, 0.7), Float32Array.of(0.3, 0.6)];
  expect(peakSignalToNoise(a, b)).toBeCloseTo(20, 4);
  expect(peakSignalToNoise(b, a)).toBe(peakSignalToNoise(a, b));
  expect(peakSignalToNoise(a, a)).toBeCloseTo(20 * Math.log10(255) + 10 * Math.log10(12), 6);
});

test("a class without private images, and images that do not fit, are refused", async () => {
  await expect(psnr.measure(pixels([[2, [0, 0]]], references))).rejects.toThrow("class 2 (person 2) has no private");
  await expect(psnr.measure(pixels([[0, [0]]], references))).rejects.toThrow("expected 1 images of 2 values");
});

/** The definition, place by place, with a window in two dimensions. */
function slowSsim(a: Float32Array, b: Float32Array, channels: number, side: number, window: number): number {
  const middle = (window - 1) / 2;
  const raw = Array.from({ length: window ** 2 }, (_, k) => {
    const [y, x] = [Math.floor(k / window) - middle, (k % window) - middle];
    return Math.exp(-(x * x + y * y) / (2 * 1.5 ** 2));
  });
  const total = raw.reduce((sum, w) => sum + w, 0);
  const values: number[] = [];
  for (let c = 0; c < channels; c++) {
    for (let top = 0; top + window <= side; top++) {
      for (let left = 0; left + window <= side; left++) {
        const at = raw.map((_, k) => c * side * side + (top + Math.floor(k / window)) * side + left + (k % window));
        const mean = (f: (i: number) => number) => at.reduce((sum, i, k) => sum + (raw[k]! / total) * f(i), 0);
        const [p, q] = [mean((i) => a[i]!), mean((i) => b[i]!)];
        const variance = (x: Float32Array, m: number) => mean((i) => (x[i]! - m) ** 2);
        const covariance = mean((i) => (a[i]! - p) * (b[i]! - q));
        const [c1, c2] = [1e-4, 9e-4];
        values.push(
          ((2 * p * q + c1) * (2 * covariance + c2)) / ((p * p + q * q + c1) * (variance(a, p) + variance(b, q) + c2)),
        );
      }
    }
  }
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

test.each([
  [14, 11, 3],
  [8, 7, 1],
])("SSIM of images of side %i follows the definition with a window of %i", (side, window, channels) => {
  const rng = random(side, "images");
  const [a, b] = [rng.uniforms(channels * side ** 2), rng.uniforms(channels * side ** 2)];
  const mixed = a.map((x, i) => 0.7 * x + 0.3 * b[i]!);
  const { prepare, compare } = structuralSimilarity({ channels, height: side, width: side });
  const [pa, pm] = prepare({ images: Float32Array.of(...a, ...mixed), count: 2 });
  expect(compare(pa!, pm!)).toBeCloseTo(slowSsim(a, mixed, channels, side, window), 9);
  expect(compare(pm!, pa!)).toBeCloseTo(compare(pa!, pm!), 12);
  expect(compare(pa!, pa!)).toBeCloseTo(1, 9);
});

test("SSIM of two plain images is that of their light alone", () => {
  const { prepare, compare } = structuralSimilarity({ channels: 1, height: 11, width: 11 });
  const [dark, light] = prepare({ images: new Float32Array(242).fill(0.2, 0, 121).fill(0.6, 121), count: 2 });
  expect(compare(dark!, light!)).toBeCloseTo((2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4), 6);
});

test("SSIM is that to the image a reconstruction is most like", async () => {
  const size = { channels: 1, height: 5, width: 5 };
  const [far, near] = [random(1, "far").uniforms(25), random(1, "near").uniforms(25)];
  const found = near.map((x) => 0.9 * x);
  const e = evidenceOf(1, {
    reconstructions: { labels: Int32Array.of(0), logits: new Float32Array(0), features: new Float32Array(0) },
    pictures: picturesOf(size, found, { labels: Int32Array.of(0, 0), images: Float32Array.of(...far, ...near) }),
  });
  expect((await ssim.measure(e))?.value).toBeCloseTo(slowSsim(found, near, 1, 5, 5), 6);
});

test("images of a batch are copies", () => {
  const images = Float32Array.of(1, 2, 3, 4);
  const [first] = single({ images, count: 2 });
  images.fill(0);
  expect([...first!]).toEqual([1, 2]);
});
