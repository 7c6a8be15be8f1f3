import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memorySet } from "../../data/memory-set.ts";
import { unwatched } from "../../engine/work.ts";
import type { Measured } from "../../metrics/measured.ts";
import { constantInitial } from "../../models/initial.ts";
import { flatten, linear } from "../../models/layers.ts";
import type { Model } from "../../models/model.ts";
import { TrainingSettings } from "../../models/training.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import { TEST_ACCURACY, testAccuracy, trainClassifier } from "./classifier.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "classifier-"));
});
afterAll(() => rm(dir, { recursive: true }));

/** Tells the second class by a difference that half precision rounds away. */
const delicate: Model = {
  kind: "delicate",
  stages: [{ name: "pixel", layer: flatten }],
  head: linear("fc", 1, 2, {
    initial: () => Float32Array.of(1, 1.0001),
    biasInitial: (_rng, shape) => constantInitial(0)(_rng, shape).fill(1e-5, 0, 1),
  }),
  features: 1,
  classes: 2,
  input: [1, 1, 1],
};

test("the accuracy is that of the weights that are kept", async () => {
  const images = memorySet({
    name: "bright pixels",
    channels: 1,
    height: 1,
    width: 1,
    classes: ["first", "second"],
    labels: Int32Array.of(1, 1, 1),
    bytes: Uint8Array.of(200, 220, 240),
  });
  const context = { ...unwatched, dir };
  const settings = TrainingSettings.parse({ epochs: 1, rate: 1e-30, weightDecay: 0 });
  await trainClassifier(context, { name: "judge", model: delicate, train: images, test: images, settings, seed: 1 });
  const written = JSON.parse(await readFile(join(dir, TEST_ACCURACY), "utf8")) as Measured;
  expect(written).toEqual(await testAccuracy(delicate, await readState(join(dir, WEIGHTS)), images));
  expect(written.value).toBe(0);
});
