import { describe, expect, test } from "vitest";
import { Augmentation } from "./augment.ts";
import type { ImageSet } from "./dataset.ts";
import { all, type Batch, batchCount, batches, changesNothing, endless, oneView } from "./loader.ts";
import { memorySet } from "./memory-set.ts";

/** Twenty-three images of 3×4×4; every byte of image i is i. */
const set = memorySet({
  name: "steps",
  channels: 3,
  height: 4,
  width: 4,
  classes: ["a", "b"],
  labels: Int32Array.from({ length: 23 }, (_, i) => i % 2),
  bytes: Uint8Array.from({ length: 23 * 48 }, (_, i) => Math.floor(i / 48)),
});

const erasing = { probability: 0.5, minArea: 0.1, maxArea: 0.3, fill: "random" } as const;

interface Kept {
  readonly index: number;
  readonly images: number[];
  readonly labels: number[];
  readonly indices: number[];
}

async function collect(source: AsyncGenerator<Batch>, count = Number.POSITIVE_INFINITY): Promise<Kept[]> {
  const kept: Kept[] = [];
  for await (const { index, images, labels, indices } of source) {
    kept.push({ index, images: [...images], labels: [...labels], indices: [...indices] });
    if (kept.length === count) break;
  }
  return kept;
}

describe("batches", () => {
  test("an epoch shows every image once, with its label and its bytes over 255", async () => {
    const epoch = await collect(batches(set, { batch: 5, seed: 1, epoch: 0 }));
    expect(epoch.map(({ indices }) => indices.length)).toEqual([5, 5, 5, 5, 3]);
    const shown = epoch.flatMap(({ indices }) => indices);
    expect(shown).not.toEqual([...shown].sort((a, b) => a - b));
    expect([...shown].sort((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, i) => i));
    for (const { images, labels, indices } of epoch) {
      expect(labels).toEqual(indices.map((index) => index % 2));
      expect(images).toEqual(indices.flatMap((index) => Array<number>(48).fill(Math.fround(index / 255))));
    }
  });

  test("a resumed epoch goes on exactly where it stopped, augmentation included", async () => {
    const options = { batch: 4, seed: 9, epoch: 3, augment: Augmentation.parse({ crop: 1, brightness: 0.3 }) };
    const whole = await collect(batches(set, options));
    for (const from of [1, 4, 5]) expect(await collect(batches(set, { ...options, from }))).toEqual(whole.slice(from));
    expect(await collect(batches(set, { ...options, from: 6 }))).toEqual([]);
  });

  test("order follows the seed and the epoch", async () => {
    const order = async (seed: number, epoch: number) =>
      (await collect(batches(set, { batch: 23, seed, epoch })))[0]!.indices;
    expect(await order(1, 0)).toEqual(await order(1, 0));
    expect(await order(1, 1)).not.toEqual(await order(1, 0));
    expect(await order(2, 0)).not.toEqual(await order(1, 0));
  });

  test("augmentation differs from batch to batch and from epoch to epoch", async () => {
    const jitter = Augmentation.parse({ brightness: 0.5 });
    const values = async (epoch: number) =>
      (await collect(batches(set, { batch: 1, seed: 1, epoch, augment: jitter, shuffle: false })))
        .slice(1)
        .map(({ index, images }) => images[0]! / index);
    const first = await values(0);
    expect(new Set(first.map((value) => value.toFixed(6))).size).toBeGreaterThan(15);
    expect(await values(1)).not.toEqual(first);
  });

  test("drops the last batch on request, and can keep the set's order", async () => {
    const kept = await collect(batches(set, { batch: 5, seed: 1, epoch: 0, dropLast: true, shuffle: false }));
    expect(kept.flatMap(({ indices }) => indices)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(batchCount(set, 5, true)).toBe(4);
    expect(batchCount(set, 5)).toBe(5);
    expect(await collect(batches(set, { batch: 50, seed: 1, epoch: 0, dropLast: true }))).toEqual([]);
  });

  test("works with two buffers, and a batch stays whole until the next one is asked for", async () => {
    const source = batches(set, { batch: 4, seed: 1, epoch: 0 });
    const buffers = new Set<ArrayBufferLike>();
    for await (const { images } of source) {
      const before = [...images];
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect([...images]).toEqual(before);
      buffers.add(images.buffer);
    }
    expect(buffers.size).toBe(2);
  });

  test("reads the next batch while the consumer has the present one", async () => {
    const log: string[] = [];
    const watched: ImageSet = {
      ...set,
      async read(indices, out) {
        log.push(`read ${indices[0]}`);
        await set.read(indices, out);
      },
    };
    for await (const { index } of batches(watched, { batch: 10, seed: 1, epoch: 0, shuffle: false })) {
      log.push(`use ${index}`);
    }
    expect(log).toEqual(["read 0", "read 10", "use 0", "read 20", "use 1", "use 2"]);
  });

  test("hands on the error of a read, and a consumer that stops early leaves no unhandled one", async () => {
    const failing: ImageSet = {
      ...set,
      async read(indices, out) {
        if (indices[0] === 10) throw new Error("disk gone");
        await set.read(indices, out);
      },
    };
    const options = { batch: 10, seed: 1, epoch: 0, shuffle: false };
    await expect(collect(batches(failing, options))).rejects.toThrow("disk gone");
    expect(await collect(batches(failing, options), 1)).toHaveLength(1);
  });

  test("refuses sizes and positions that are no whole numbers", () => {
    expect(() => batches(set, { batch: 0, seed: 1, epoch: 0 })).toThrow(
      "batch: expected a whole number of at least 1, got 0",
    );
    expect(() => batches(set, { batch: 2, seed: 1, epoch: 0, from: -1 })).toThrow("from: expected a whole number");
  });
});

describe("endless", () => {
  test("gives full batches through the epochs' own orders, from any step", async () => {
    const options = { batch: 8, seed: 4, augment: Augmentation.parse({ flip: 0.5, brightness: 0.1 }) };
    const run = await collect(endless(set, { ...options, step: 0 }), 12);
    expect(run.every(({ indices }) => indices.length === 8)).toBe(true);
    expect(await collect(endless(set, { ...options, step: 7 }), 5)).toEqual(run.slice(7));
    const shown = run.flatMap(({ indices }) => indices);
    for (const epoch of [0, 1, 2, 3]) {
      const order = (await collect(batches(set, { batch: 23, seed: 4, epoch })))[0]!.indices;
      expect(shown.slice(epoch * 23, (epoch + 1) * 23)).toEqual(order);
    }
  });

  test("with a number of views, shows each image's views in turn, the same ones whatever stands beside it", async () => {
    const changes = { augment: Augmentation.parse({ brightness: 0.5, blur: 1 }), erasing };
    const options = { ...changes, batch: 8, seed: 4, views: 2 };
    const run = await collect(endless(set, { ...options, step: 0 }), 12);
    expect(await collect(endless(set, { ...options, step: 7 }), 5)).toEqual(run.slice(7));
    const views = await Promise.all(
      [0, 1].map(async (view) => {
        const shown = await collect(oneView(set, { ...changes, batch: 5, seed: 4, view }));
        expect(shown.flatMap(({ indices }) => indices)).toEqual(Array.from({ length: 23 }, (_, i) => i));
        return shown.flatMap(({ images }) => images);
      }),
    );
    expect(views[0]).not.toEqual(views[1]);
    const length = views[0]!.length / 23;
    for (const [step, { indices, images }] of run.entries())
      for (const [at, index] of indices.entries()) {
        const view = views[Math.floor((step * 8 + at) / 23) % 2]!;
        expect(images.slice(at * length, (at + 1) * length)).toEqual(view.slice(index * length, (index + 1) * length));
      }
  });

  test("a batch may be larger than the set", async () => {
    const [batch] = await collect(endless(set, { batch: 60, seed: 1, step: 2 }), 1);
    const times = Array.from({ length: 23 }, (_, i) => batch!.indices.filter((index) => index === i).length);
    expect(times.every((count) => count >= 1 && count <= 4)).toBe(true);
  });
});

test("all goes through the set once in its own order", async () => {
  const shown = await collect(all(set, 10));
  expect(shown.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(shown.flatMap(({ indices }) => indices)).toEqual(Array.from({ length: 23 }, (_, i) => i));
});

test.each<[string, object, boolean]>([
  ["no change", {}, true],
  ["settings that are all off", { augment: Augmentation.parse({}) }, true],
  ["covers that never come", { erasing: { ...erasing, probability: 0 } }, true],
  ["covers", { erasing }, false],
  ...["flip", "crop", "brightness", "contrast", "saturation", "blur"].map((key): [string, object, boolean] => [
    key,
    { augment: Augmentation.parse({ [key]: 1 }) },
    false,
  ]),
])("%s: whether images stay as they are is known", (_, changes, still) => {
  expect(changesNothing(changes)).toBe(still);
});
