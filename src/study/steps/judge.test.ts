import { expect, test } from "vitest";
import type { ImageSet } from "../../data/dataset.ts";
import { memorySet } from "../../data/memory-set.ts";
import { imagesOfClass, sameNumber } from "./judge.ts";

/** 40 images of class 0, 3 of class 1, none of class 2; image i is grey i. */
const labels = Int32Array.from({ length: 43 }, (_, i) => (i % 14 === 13 ? 1 : 0));
const set = memorySet({
  name: "private",
  channels: 1,
  height: 1,
  width: 2,
  classes: ["a", "b", "c"],
  labels,
  bytes: Uint8Array.from({ length: 86 }, (_, i) => Math.floor(i / 2)),
});

test("a class's images come a few at a time, each once", async () => {
  const asked: number[] = [];
  const watched: ImageSet = {
    ...set,
    read(indices, out) {
      asked.push(indices.length);
      return set.read(indices, out);
    },
  };
  const greys: number[] = [];
  for await (const { images, count } of imagesOfClass(watched)(0)) {
    expect(images).toHaveLength(2 * count);
    for (let i = 0; i < count; i++) greys.push(Math.round(images[2 * i]! * 255));
  }
  expect(greys).toEqual([...labels.keys()].filter((i) => labels[i] === 0));
  expect(Math.max(...asked)).toBeLessThanOrEqual(32);
  for await (const _ of imagesOfClass(watched)(2)) expect.fail("class 2 has no image");
});

test("real images stand in for reconstructions: as many of each class, fewer where there are fewer", async () => {
  const found = await sameNumber(set, Int32Array.of(1, 0, 1, 1, 1, 1, 0, 2));
  expect([...found.labels]).toEqual([1, 1, 1, 0, 0]);
  expect([...found.images].map((x) => Math.round(x * 255))).toEqual([13, 13, 27, 27, 41, 41, 0, 0, 1, 1]);
});
