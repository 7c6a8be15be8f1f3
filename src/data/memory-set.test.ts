import { describe, expect, test } from "vitest";
import { memorySet } from "./memory-set.ts";
import { paddedSet } from "./padded-set.ts";

const options = {
  name: "tiny",
  channels: 1,
  height: 1,
  width: 2,
  classes: ["a", "b"],
  labels: Int32Array.of(0, 1, 1),
  bytes: Uint8Array.of(10, 11, 20, 21, 30, 31),
};

describe("a set in memory", () => {
  test("reads images in the asked order, repeats included", async () => {
    const out = new Uint8Array(6);
    await memorySet(options).read([2, 0, 2], out);
    expect([...out]).toEqual([30, 31, 10, 11, 30, 31]);
  });

  test("has a hash that changes with a pixel, a label, a class name and a size", () => {
    const hash = memorySet(options).hash;
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(memorySet({ ...options, name: "another name" }).hash).toBe(hash);
    const others = [
      { ...options, bytes: Uint8Array.of(10, 11, 20, 21, 30, 32) },
      { ...options, labels: Int32Array.of(0, 0, 1) },
      { ...options, classes: ["a", "c"] },
      { ...options, height: 2, width: 1 },
    ];
    expect(new Set([hash, ...others.map((other) => memorySet(other).hash)]).size).toBe(5);
  });

  test("refuses a wrong number of bytes or labels, unknown labels and unknown images", async () => {
    expect(() => memorySet({ ...options, bytes: new Uint8Array(5) })).toThrow("5 bytes for 3 images of 1×1×2");
    expect(() => memorySet({ ...options, labels: Int32Array.of(0, 1, 2) })).toThrow(
      "label 2 where there are 2 classes",
    );
    await expect(memorySet(options).read([3], new Uint8Array(2))).rejects.toThrow("no image 3 among 3");
    await expect(memorySet(options).read([-1], new Uint8Array(2))).rejects.toThrow("no image -1 among 3");
  });
});

describe("a padded view", () => {
  test("puts zeros around every plane and leaves the set's labels", async () => {
    const set = memorySet({
      ...options,
      channels: 2,
      width: 1,
      labels: Int32Array.of(1, 0, 1),
    });
    const padded = paddedSet(set, 1);
    expect([padded.channels, padded.height, padded.width]).toEqual([2, 3, 3]);
    const out = new Uint8Array(2 * 2 * 9).fill(99);
    await padded.read([1, 0], out);
    const plane = (value: number) => [0, 0, 0, 0, value, 0, 0, 0, 0];
    expect([...out]).toEqual([plane(20), plane(21), plane(10), plane(11)].flat());
    expect(padded.labels).toEqual(set.labels);
    expect(padded.hash).not.toBe(set.hash);
  });
});
