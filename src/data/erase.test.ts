import { describe, expect, test } from "vitest";
import { random } from "../engine/random.ts";
import { Erasing, erase } from "./erase.ts";

const size = { channels: 3, height: 20, width: 16 };
const PIXELS = size.height * size.width;
const COUNT = 60;

const covered = (settings: object, value = 2, seed = 1): Float32Array => {
  const images = new Float32Array(COUNT * 3 * PIXELS).fill(value);
  erase(images, COUNT, size, Erasing.parse(settings), random(seed, "erase"));
  return images;
};

/** The pixels of an image that changed, as the bounds of a rectangle and their number. */
function bounds(images: Float32Array, i: number, value = 2) {
  const at = Array.from({ length: PIXELS }, (_, p) => p).filter((p) => images[i * 3 * PIXELS + p] !== value);
  const rows = at.map((p) => Math.floor(p / size.width));
  const columns = at.map((p) => p % size.width);
  const height = Math.max(...rows) - Math.min(...rows) + 1;
  const width = Math.max(...columns) - Math.min(...columns) + 1;
  return { count: at.length, height, width, top: Math.min(...rows) };
}

describe("random erasing", () => {
  test("covers one rectangle of the asked area in every image, at varying places and shapes", () => {
    const images = covered({ minArea: 0.2, maxArea: 0.3 });
    const found = Array.from({ length: COUNT }, (_, i) => bounds(images, i));
    for (const { count, height, width } of found) {
      expect(count).toBe(height * width);
      expect(count / PIXELS).toBeGreaterThan(0.15);
      expect(count / PIXELS).toBeLessThan(0.36);
    }
    expect(new Set(found.map((f) => f.top)).size).toBeGreaterThan(5);
    expect(found.some((f) => f.height > 1.5 * f.width)).toBe(true);
    expect(found.some((f) => f.width > f.height)).toBe(true);
  });

  test("covers about the asked share of the images", () => {
    const images = covered({ probability: 0.3 });
    const touched = Array.from({ length: COUNT }, (_, i) => bounds(images, i).count > 0).filter(Boolean).length;
    expect(touched).toBeGreaterThan(8);
    expect(touched).toBeLessThan(30);
    expect(covered({ probability: 0 })).toEqual(new Float32Array(COUNT * 3 * PIXELS).fill(2));
  });

  test.each([
    ["mean", [Math.fround(0.485), Math.fround(0.456), Math.fround(0.406)]],
    [0.25, [0.25, 0.25, 0.25]],
  ])("fills with %s", (fill, colours) => {
    const images = covered({ fill });
    for (const [channel, colour] of colours.entries()) {
      const plane = images.subarray(channel * PIXELS, (channel + 1) * PIXELS);
      expect(new Set(plane)).toEqual(new Set([2, colour]));
    }
  });

  test("fills with random values where it is told to", () => {
    const values = new Set(covered({ fill: "random" }).filter((x) => x !== 2));
    expect(values.size).toBeGreaterThan(1000);
    expect([...values].every((x) => x >= 0 && x < 1)).toBe(true);
  });

  test("gives the same result for the same stream and another for another", () => {
    expect(covered({})).toEqual(covered({}));
    expect(covered({}, 2, 2)).not.toEqual(covered({}));
  });

  test("cannot have a least area above the largest", () => {
    const parsed = Erasing.safeParse({ minArea: 0.5, maxArea: 0.2 });
    expect(parsed.error?.issues).toMatchObject([{ path: ["maxArea"], message: "must not be less than minArea" }]);
  });
});
