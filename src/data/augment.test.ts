import { describe, expect, test } from "vitest";
import { random } from "../engine/random.ts";
import {
  Augmentation,
  augment,
  flipImage,
  scaleBrightness,
  scaleContrast,
  scaleSaturation,
  shiftImage,
} from "./augment.ts";

const rounded = (values: Float32Array) => Array.from(values, (value) => Math.round(value * 1e4) / 1e4);

describe("single changes", () => {
  test("a flip mirrors every row of every channel", () => {
    const image = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    flipImage(image, { channels: 2, height: 2, width: 3 });
    expect([...image]).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
  });

  test("a shift shows what lies beside the image as black", () => {
    const size = { channels: 1, height: 3, width: 3 };
    const shifted = (down: number, right: number) => {
      const image = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
      shiftImage(image, new Float32Array(9), size, down, right);
      return [...image];
    };
    expect(shifted(0, 0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(shifted(1, 0)).toEqual([4, 5, 6, 7, 8, 9, 0, 0, 0]);
    expect(shifted(-1, -1)).toEqual([0, 0, 0, 0, 1, 2, 0, 4, 5]);
    expect(shifted(0, 2)).toEqual([3, 0, 0, 6, 0, 0, 9, 0, 0]);
    expect(shifted(3, 0)).toEqual(Array(9).fill(0));
    expect(shifted(0, -5)).toEqual(Array(9).fill(0));
  });

  test("brightness, contrast and saturation follow their formulas and stay in [0, 1]", () => {
    const rgb = { channels: 3, height: 1, width: 2 };
    const bright = Float32Array.of(0.2, 0.8);
    scaleBrightness(bright, 1.5);
    expect(rounded(bright)).toEqual([0.3, 1]);

    // Greys: 0.299 and 0.587; their mean: 0.443.
    const contrast = Float32Array.of(1, 0, 0, 1, 0, 0);
    scaleContrast(contrast, rgb, 0.5);
    expect(rounded(contrast)).toEqual([0.7215, 0.2215, 0.2215, 0.7215, 0.2215, 0.2215]);

    const saturation = Float32Array.of(0.6, 0, 0.2, 0.5, 0.2, 0);
    scaleSaturation(saturation, rgb, 0);
    const greys = [0.6 * 0.299 + 0.2 * 0.587 + 0.2 * 0.114, 0.5 * 0.587].map((grey) => Math.round(grey * 1e4) / 1e4);
    expect(rounded(saturation)).toEqual([...greys, ...greys, ...greys]);

    const grey = Float32Array.of(0.1, 0.5);
    scaleContrast(grey, { channels: 1, height: 1, width: 2 }, 2);
    expect(rounded(grey)).toEqual([0, 0.7]);
    scaleSaturation(grey, { channels: 1, height: 1, width: 2 }, 0);
    expect(rounded(grey)).toEqual([0, 0.7]);
  });
});

describe("augment", () => {
  const size = { channels: 3, height: 6, width: 6 };
  const source = random(1, "images").uniforms(50 * 108);
  const changed = (settings: object, seed = 1) => {
    const images = source.slice();
    augment(images, 50, size, Augmentation.parse(settings), random(seed, "augment"));
    return images;
  };

  test("does nothing by default", () => {
    expect(changed({})).toEqual(source);
  });

  test("gives the same result for the same stream and another for another", () => {
    const settings = { flip: 0.5, crop: 2, brightness: 0.2, contrast: 0.2, saturation: 0.2 };
    expect(changed(settings)).toEqual(changed(settings));
    expect(changed(settings, 2)).not.toEqual(changed(settings));
    expect(changed(settings).every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  test("flips about the asked share of the images and leaves the others as they are", () => {
    const images = changed({ flip: 0.5 });
    let flipped = 0;
    for (let i = 0; i < 50; i++) {
      const original = source.slice(i * 108, (i + 1) * 108);
      const now = images.subarray(i * 108, (i + 1) * 108);
      if (original.every((value, at) => value === now[at])) continue;
      flipImage(original, size);
      expect(now).toEqual(original);
      flipped++;
    }
    expect(flipped).toBeGreaterThan(15);
    expect(flipped).toBeLessThan(35);
  });

  test("one setting does not move another's draws", () => {
    const alone = changed({ flip: 0.5 });
    const both = changed({ flip: 0.5, brightness: 1e-9 });
    expect(rounded(both)).toEqual(rounded(alone));
  });

  test("touches only as many images as it is told", () => {
    const images = source.slice();
    augment(images, 2, size, Augmentation.parse({ flip: 1 }), random(1));
    expect(images.subarray(216)).toEqual(source.subarray(216));
    expect(images.subarray(0, 216)).not.toEqual(source.subarray(0, 216));
  });
});
