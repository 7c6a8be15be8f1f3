import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryWork, runWithInterruptions } from "../../test/support/memory-work.ts";
import { changedTensors } from "../../test/support/same-bits.ts";
import { TINY_TRAINING, type TinyWorld, tinyModel, tinyWorld } from "../../test/support/tiny-world.ts";
import type { ImageSet } from "../data/dataset.ts";
import { input, type Value } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { mean } from "../engine/ops/reduce.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import { type Binding, fixed, fixedWithLiveStatistics, initialState } from "./bind.ts";
import { splitAt, weightsOf } from "./model.ts";
import { classification, oneHotTargets, type Training, train } from "./train.ts";

const EPOCHS = 3;
const model = tinyModel();
const state = initialState(weightsOf(model), 5);

let world: TinyWorld;
let folder = "";
beforeAll(async () => {
  world = await tinyWorld();
  folder = await mkdtemp(join(tmpdir(), "features-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A set that counts how often its images are read. */
function counted(set: ImageSet) {
  const seen = { reads: 0 };
  const watched: ImageSet = {
    ...set,
    read(indices, out) {
      seen.reads += indices.length;
      return set.read(indices, out);
    },
  };
  return { set: watched, seen };
}

/** A training behind a boundary. */
function behind(boundary: string, change: Partial<Training> = {}): Training {
  const { frozen, rest } = splitAt(model, boundary);
  return {
    work: unwatched,
    name: "tail",
    prefix: { layer: frozen, binding: () => fixed(state) },
    trained: rest,
    start: Object.fromEntries(rest.weights.map(({ name }) => [name, state[name]!])),
    objective: classification,
    targets: oneHotTargets(model.classes),
    train: world.train,
    validation: world.validation,
    settings: { ...TINY_TRAINING, epochs: EPOCHS },
    seed: 3,
    ...change,
  };
}

const augment = { ...TINY_TRAINING.augment, flip: 0.5, crop: 2, brightness: 0.2, blur: 1 };
const erasing = { probability: 0.7, minArea: 0.05, maxArea: 0.2, fill: "random" } as const;

/** The largest difference between two states, in units of the largest number of the same tensor. */
function distance(a: StateDict, b: StateDict): number {
  const each = Object.entries(a).map(([name, { data }]) => {
    const size = data.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-30);
    return data.reduce((most, x, i) => Math.max(most, Math.abs(x - b[name]!.data[i]!)), 0) / size;
  });
  return Math.max(...each);
}

/** Trains, and says how often training and validation images were read. */
async function watched(training: Training, work = memoryWork()) {
  const [images, judged] = [counted(training.train), counted(training.validation!)];
  const result = await train({ ...training, work, train: images.set, validation: judged.set });
  return { result, rows: work.rows, train: images.seen.reads, validation: judged.seen.reads };
}

/** What a training reads that looks at every image in every epoch, at most: a batch is prepared ahead, the last epoch may overlap. */
const EVERY_EPOCH = { least: EPOCHS * 128, most: EPOCHS * 128 + 2 * TINY_TRAINING.batch };

describe.each(["stem", "layer3.0"])("behind %s", (boundary) => {
  test("kept features give the training that the whole network gives, from one look at each image", async () => {
    const cached = await watched(behind(boundary));
    const whole = await watched(behind(boundary, { featureMemory: 0 }));
    // The same numbers on the machines it was tried on; a runtime that folds a prefix and its tail together may round otherwise.
    expect(distance(whole.result, cached.result)).toBeLessThan(1e-4);
    expect(cached.rows.map(({ epoch }) => epoch)).toEqual(whole.rows.map(({ epoch }) => epoch));
    for (const [i, row] of cached.rows.entries()) expect(row.loss).toBeCloseTo(Number(whole.rows[i]!.loss), 3);
    expect([cached.train, cached.validation]).toEqual([world.train.size, world.validation.size]);
    expect(whole.train).toBeGreaterThanOrEqual(EVERY_EPOCH.least);
    expect(whole.validation).toBe(EPOCHS * world.validation.size);
  });
});

test("a number of views of each image is gone through epoch by epoch, kept or not, also with covered parts", async () => {
  const change = { settings: { ...TINY_TRAINING, epochs: EPOCHS, augment, cachedViews: 2 }, erasing };
  const cached = await watched(behind("layer2.0", change));
  const whole = await watched(behind("layer2.0", { ...change, featureMemory: 0 }));
  expect(distance(whole.result, cached.result)).toBeLessThan(1e-4);
  expect([cached.train, cached.validation]).toEqual([2 * world.train.size, world.validation.size]);
  expect(whole.train).toBeGreaterThanOrEqual(EVERY_EPOCH.least);
  const one = await watched(behind("layer2.0", { ...change, settings: { ...change.settings, cachedViews: 1 } }));
  expect(distance(whole.result, one.result)).toBeGreaterThan(1e-3);
});

describe("features in a file", () => {
  const inFile = (stops: readonly number[], training: Training) =>
    runWithInterruptions(stops, (work) => train({ ...training, featureMemory: 1, work: { ...work, dir: folder } }));

  test("train as those in memory do, also when interrupted, and leave nothing behind", async () => {
    await writeFile(join(folder, "tail.features.f32"), "left by a killed process");
    const training = behind("layer1.0");
    const memory = await watched(training);
    const { result, work } = await inFile([3, 19], training);
    expect(changedTensors(memory.result, result)).toEqual([]);
    expect(work.rows).toEqual(memory.rows);
    expect(await readdir(folder)).toEqual([]);
  });

  test("are removed when the training fails", async () => {
    const absurd = behind("layer1.0", { settings: { ...TINY_TRAINING, rate: 1e38, weightDecay: 1 } });
    await expect(inFile([], absurd)).rejects.toThrow(/tail/);
    expect(await readdir(folder)).toEqual([]);
  });
});

/** What a loss may ask for that a prefix's features do not tell. */
const looking = (at: "images" | string): Training["objective"] => ({
  ...classification,
  loss: (logits, targets, view) =>
    mul(classification.loss(logits, targets, view), mean(at === "images" ? view.images : view.observed(at))),
});

/** Fixed weights whose outputs are multiplied by noise in training. */
function noisy(training: boolean): Binding {
  const net = fixed(state);
  const noises: Record<string, Value> = {};
  return {
    ...net,
    noises,
    apply(layer, x) {
      const y = net.apply(layer, x);
      if (!training) return y;
      noises.prefix = input("noise/prefix", y.shape);
      return mul(y, noises.prefix);
    },
  };
}

const { frozen, rest } = splitAt(model, "layer1.0");
const following = [...rest.weights, ...frozen.weights.filter((w) => w.kind === "buffer")];

test.each<[string, Partial<Training>, number]>([
  ["random augmentation", { settings: { ...TINY_TRAINING, epochs: EPOCHS, augment } }, 1],
  ["random covers", { erasing }, 1],
  ["a loss of the images", { objective: looking("images") }, 1],
  ["a loss of a layer before the boundary", { objective: looking("stem") }, 1],
  [
    "norms that follow the data",
    {
      prefix: { layer: frozen, binding: (training) => fixedWithLiveStatistics(state, training) },
      start: Object.fromEntries(following.map(({ name }) => [name, state[name]!])),
    },
    EPOCHS,
  ],
  ["noise in a frozen layer", { prefix: { layer: frozen, binding: noisy } }, EPOCHS],
  ["too many features", { featureMemory: 128 * 8 * 8 * 8 * 4 - 1, settings: { ...TINY_TRAINING, epochs: EPOCHS } }, 1],
])("%s: training looks at every image in every epoch, and validation too where it must", async (_, change, judged) => {
  const found = await watched(behind("layer1.0", change));
  expect(found.train).toBeGreaterThanOrEqual(EVERY_EPOCH.least);
  expect(found.train).toBeLessThanOrEqual(EVERY_EPOCH.most);
  expect(found.validation).toBe(judged * world.validation.size);
});

test("a loss of what layers after the boundary show needs no image", async () => {
  const { train: reads } = await watched(behind("layer1.0", { objective: looking("layer2.0") }));
  expect(reads).toBe(world.train.size);
});
