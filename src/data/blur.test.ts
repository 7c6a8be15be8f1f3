import { expect, test } from "vitest";
import { random } from "../engine/random.ts";
import { blurImage, blurSome } from "./blur.ts";

const size = { channels: 3, height: 9, width: 13 };
const image = random(1, "blur").uniforms(3 * 9 * 13);

test("a blur is the weighted mean of a pixel's surroundings, edges repeated", () => {
  const deviation = 0.8;
  const reach = Math.ceil(3 * deviation);
  const at = (channel: number, y: number, x: number) =>
    image[(channel * 9 + Math.min(8, Math.max(0, y))) * 13 + Math.min(12, Math.max(0, x))]!;
  const expected: number[] = [];
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < 9; y++) {
      for (let x = 0; x < 13; x++) {
        let sum = 0;
        let total = 0;
        for (let dy = -reach; dy <= reach; dy++) {
          for (let dx = -reach; dx <= reach; dx++) {
            const weight = Math.exp(-(dx * dx + dy * dy) / (2 * deviation ** 2));
            sum += weight * at(channel, y + dy, x + dx);
            total += weight;
          }
        }
        expected.push(sum / total);
      }
    }
  }
  const blurred = image.slice();
  blurImage(blurred, new Float32Array(9 * 13), size, deviation);
  for (const [i, value] of blurred.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
});

test("one colour stays, and next to no blur changes next to nothing", () => {
  const plain = new Float32Array(image.length).fill(0.25);
  blurImage(plain, new Float32Array(9 * 13), size, 2.5);
  for (const value of plain) expect(value).toBeCloseTo(0.25, 6);
  const sharp = image.slice();
  blurImage(sharp, new Float32Array(9 * 13), size, 1e-3);
  expect(sharp).toEqual(image);
});

test("about half of the images are blurred, the same ones for the same stream", () => {
  const some = (seed: number) => {
    const images = Float32Array.from({ length: 40 * image.length }, (_, i) => image[i % image.length]!);
    blurSome(images, 40, size, 2, random(seed, "some"));
    return images;
  };
  const images = some(1);
  const changed = Array.from({ length: 40 }, (_, i) =>
    images.subarray(i * image.length, (i + 1) * image.length).some((value, at) => value !== image[at]),
  );
  expect(changed.filter(Boolean).length).toBeGreaterThan(10);
  expect(changed.filter(Boolean).length).toBeLessThan(30);
  expect(some(1)).toEqual(images);
  expect(some(2)).not.toEqual(images);
});
