import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { input } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { randomViews, type ViewRange } from "./random-views.ts";

const [n, channels, side] = [3, 2, 8];
const pixels = n * channels * side * side;
const whole: ViewRange = { scale: [1, 1], ratio: [1, 1], flip: 0 };
const view = (images: Float32Array, range: ViewRange, seed = 1) => {
  const views = randomViews(input("images", [n, images.length / (n * side * side), side, side]), range);
  return evaluate(views.images, { images, ...views.draw(random(seed)) });
};
/** Each pixel is its column's number. */
const ramp = Float32Array.from({ length: pixels }, (_, i) => i % side);

test("the view of the whole image is the image, and mirrored it is its mirror image", async () => {
  const images = random(2).uniforms(pixels);
  expectAllClose(await view(images, whole), images, { absolute: 1e-6 });
  const mirrored = images.map((_, i) => images[i - (i % side) + side - 1 - (i % side)]!);
  expectAllClose(await view(images, { ...whole, flip: 1 }), mirrored, { absolute: 1e-6 });
});

test("a crop keeps constant images and stretches others linearly", async () => {
  const range: ViewRange = { scale: [0.25, 0.25], ratio: [1, 1], flip: 0 };
  expectAllClose(await view(new Float32Array(pixels).fill(0.7), range), new Float32Array(pixels).fill(0.7), {
    absolute: 1e-6,
  });
  const seen = await view(ramp, range);
  // A quarter of the area is half the width: neighbours in the view are half a pixel apart.
  for (let at = 0; at < pixels; at += side)
    for (let x = 2; x < side - 2; x++) expect(seen[at + x + 1]! - seen[at + x]!).toBeCloseTo(0.5, 4);
});

test("ratio makes crops wide or high, and draws follow the seed", async () => {
  const wide = await view(ramp, { scale: [0.5, 0.5], ratio: [2, 2], flip: 0 });
  // Half the area at ratio 2 is the full width.
  expectAllClose(wide, ramp, { absolute: 1e-5 });
  const range: ViewRange = { scale: [0.3, 0.9], ratio: [0.8, 1.2], flip: 0.5 };
  const images = random(3).uniforms(pixels);
  expect(await view(images, range, 4)).toEqual(await view(images, range, 4));
  expect(await view(images, range, 4)).not.toEqual(await view(images, range, 5));
});

test("images that are not square are refused", () => {
  expect(() => randomViews(input("images", [1, 3, 8, 6]), whole)).toThrow(/8×6/);
});

test.each([1, 3])("brightness and contrast of images of %i channels are as in a loop", async (depth) => {
  const images = random(5).uniforms(n * depth * side * side);
  const range: ViewRange = { ...whole, jitter: 0.4 };
  const views = randomViews(input("images", [n, depth, side, side]), range);
  const fed = views.draw(random(6));
  const [brightness, contrast] = [fed["views/brightness"]!, fed["views/contrast"]!];
  for (const factor of [...brightness, ...contrast]) expect(Math.abs(factor - 1)).toBeLessThanOrEqual(0.4);
  expect(new Set([...brightness, ...contrast]).size).toBe(2 * n);
  const hold = (x: number) => Math.min(1, Math.max(0, x));
  const area = side * side;
  const weights = depth === 1 ? [1] : [0.299, 0.587, 0.114];
  const wanted = Array.from({ length: n }, (_, i) => {
    const bright = [...images.subarray(i * depth * area, (i + 1) * depth * area)].map((x) => hold(x * brightness[i]!));
    const grey = bright.reduce((total, x, at) => total + (x * weights[Math.floor(at / area)]!) / area, 0);
    return bright.map((x) => hold(grey + (x - grey) * contrast[i]!));
  });
  expectAllClose(await evaluate(views.images, { images, ...fed }), wanted.flat(), { absolute: 1e-5 });
});
