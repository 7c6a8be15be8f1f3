import { expect, test } from "vitest";
import { Augmentation } from "./augment.ts";
import { oneView } from "./loader.ts";
import { memorySet } from "./memory-set.ts";
import { poissonSample } from "./poisson.ts";

const set = memorySet({
  name: "grey",
  channels: 1,
  height: 2,
  width: 2,
  classes: ["a"],
  labels: new Int32Array(40),
  bytes: Uint8Array.from({ length: 160 }, (_, i) => 40 + i / 4),
});

test("a sample with a number of views shows the view of its epoch, 1 / rate steps each", async () => {
  const changes = { augment: Augmentation.parse({ brightness: 0.4 }) };
  const { value } = await oneView(set, { ...changes, batch: 40, seed: 3, view: 1 }).next();
  const [...view] = value!.images;
  const ofStep = async (step: number) => {
    const found: number[] = [];
    for await (const { images } of poissonSample(set, { ...changes, rate: 0.5, seed: 3, step, part: 8, views: 2 }))
      found.push(...images);
    return found;
  };
  for (const step of [2, 3, 6]) {
    const found = await ofStep(step);
    expect(found.length).toBeGreaterThan(20);
    expect(found.filter((x) => !view.includes(x))).toEqual([]);
  }
  expect((await ofStep(4)).every((x) => view.includes(x))).toBe(false);
});
