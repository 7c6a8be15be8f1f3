import { describe, expect, test } from "vitest";
import { memorySet } from "./memory-set.ts";
import { indicesByClass, limitPerClass, selectClasses, subset } from "./subset.ts";

/** Ten images of one pixel: image i shows i and belongs to class i mod 3. */
const set = memorySet({
  name: "ten",
  channels: 1,
  height: 1,
  width: 1,
  classes: ["x", "y", "z"],
  labels: Int32Array.from({ length: 10 }, (_, i) => i % 3),
  bytes: Uint8Array.from({ length: 10 }, (_, i) => i),
});

async function pixels(view: typeof set): Promise<number[]> {
  const out = new Uint8Array(view.size);
  await view.read(
    Array.from({ length: view.size }, (_, i) => i),
    out,
  );
  return [...out];
}

describe("subset", () => {
  test("shows the chosen images in the chosen order with their labels", async () => {
    const view = subset(set, [7, 2, 3], { name: "three" });
    expect(await pixels(view)).toEqual([7, 2, 3]);
    expect([...view.labels]).toEqual([1, 2, 0]);
    expect(view.classes).toEqual(["x", "y", "z"]);
  });

  test("a view of a view reads through both", async () => {
    const view = subset(subset(set, [9, 8, 7, 6], { name: "four" }), [3, 1], { name: "two" });
    expect(await pixels(view)).toEqual([6, 8]);
  });

  test("has a hash of its own that depends on the order of the images", () => {
    const hashes = [
      [1, 2],
      [2, 1],
      [1, 2, 3],
    ].map((indices) => subset(set, indices, { name: "any" }).hash);
    expect(new Set([set.hash, ...hashes]).size).toBe(4);
    expect(subset(set, [1, 2], { name: "renamed" }).hash).toBe(hashes[0]);
  });

  test("refuses an index outside of the set, when made and when read", async () => {
    expect(() => subset(set, [10], { name: "none" })).toThrow("none: no image 10 among the 10 of ten");
    await expect(subset(set, [1], { name: "one" }).read([1], new Uint8Array(1))).rejects.toThrow("no image 1 among 1");
  });
});

describe("selectClasses", () => {
  test("keeps the named classes only and numbers them in the given order", async () => {
    const view = selectClasses(set, [2, 0], "z and x");
    expect(view.classes).toEqual(["z", "x"]);
    expect(await pixels(view)).toEqual([0, 2, 3, 5, 6, 8, 9]);
    expect([...view.labels]).toEqual([1, 0, 1, 0, 1, 0, 1]);
  });

  test("refuses a class that is not there and one named twice", () => {
    expect(() => selectClasses(set, [3], "v")).toThrow("ten has no class 3");
    expect(() => selectClasses(set, [1, 1], "v")).toThrow("a class is named twice in 1, 1");
  });
});

describe("limitPerClass", () => {
  test("keeps that many images of each class, more only adds to them", async () => {
    const two = limitPerClass(set, 2, 1);
    const three = limitPerClass(set, 3, 1);
    expect(indicesByClass(two).map((images) => images.length)).toEqual([2, 2, 2]);
    expect(await pixels(three)).toEqual(expect.arrayContaining(await pixels(two)));
  });

  test("draws by the seed, and gives the set itself without a limit", async () => {
    const drawn = await Promise.all([1, 2, 3, 4, 5].map((seed) => pixels(limitPerClass(set, 1, seed))));
    expect(new Set(drawn.map(String)).size).toBeGreaterThan(1);
    expect(await pixels(limitPerClass(set, 1, 5))).toEqual(drawn[4]);
    expect(limitPerClass(set, undefined, 1)).toBe(set);
    expect(await pixels(limitPerClass(set, 100, 1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
