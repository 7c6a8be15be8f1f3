import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import type { ImageSet } from "./dataset.ts";
import { memorySet } from "./memory-set.ts";
import { splitByClass, splitPrivate } from "./split.ts";

/** A set with the given number of images of each class; image i shows i. */
function setOf(counts: readonly number[]): ImageSet {
  const labels = Int32Array.from(counts.flatMap((count, label) => Array<number>(count).fill(label)));
  return memorySet({
    name: "people",
    channels: 1,
    height: 1,
    width: 1,
    classes: counts.map((_, label) => `person ${label}`),
    labels,
    bytes: Uint8Array.from({ length: labels.length }, (_, i) => i),
  });
}

async function pixels(set: ImageSet): Promise<number[]> {
  const out = new Uint8Array(set.size);
  await set.read(
    Array.from({ length: set.size }, (_, i) => i),
    out,
  );
  return [...out];
}

describe("splitPrivate", () => {
  test("gives every image to one part and every class to each part, whatever the sizes and shares", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 3, max: 20 }), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0.01, max: 0.49, noNaN: true }),
        fc.double({ min: 0.01, max: 0.49, noNaN: true }),
        fc.integer(),
        async (counts, validation, test, seed) => {
          const set = setOf(counts);
          const parts = Object.values(splitPrivate(set, { validation, test }, seed));
          expect(parts).toHaveLength(3);
          const shown = (await Promise.all(parts.map(pixels))).flat();
          expect(shown.sort((a, b) => a - b)).toEqual(await pixels(set));
          for (const part of parts) expect(new Set(part.labels).size).toBe(counts.length);
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });

  test("gives the parts the sizes that the shares say", () => {
    const { train, validation, test: held } = splitPrivate(setOf([30, 20]), { validation: 0.1, test: 0.2 }, 7);
    expect([train.size, validation.size, held.size]).toEqual([35, 5, 10]);
    expect([train.name, validation.name, held.name]).toEqual(["people train", "people validation", "people test"]);
  });

  test("depends on the seed, and on nothing but the seed and the class", async () => {
    const shares = { validation: 0.2, test: 0.2 };
    const first = await pixels(splitPrivate(setOf([20]), shares, 1).test);
    expect(await pixels(splitPrivate(setOf([20]), shares, 1).test)).toEqual(first);
    expect(await pixels(splitPrivate(setOf([20]), shares, 2).test)).not.toEqual(first);
    const withMore = await pixels(splitPrivate(setOf([20, 9]), shares, 1).test);
    expect(withMore.filter((image) => image < 20)).toEqual(first);
  });

  test("names a class with too few images", () => {
    const split = () => splitPrivate(setOf([5, 2]), { validation: 0.1, test: 0.1 }, 1);
    expect(split).toThrow(UserError);
    expect(split).toThrow(
      "people: class 'person 1' has 2 images, but at least 3 are needed (one each for train, validation, test); add images or remove the class",
    );
  });
});

test("a class too small for all parts fills train first where that is allowed", () => {
  const { train, test: held } = splitByClass(setOf([1, 2, 10]), { test: 0.3 }, 3, 1);
  const counts = (set: ImageSet) => [0, 1, 2].map((label) => set.labels.filter((other) => other === label).length);
  expect(counts(train)).toEqual([1, 1, 7]);
  expect(counts(held)).toEqual([0, 1, 3]);
});
