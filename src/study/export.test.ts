import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { expectAllClose } from "../../test/support/all-close.ts";
import { smallClassifier } from "../../test/support/small-classifier.ts";
import { smallTransformer } from "../../test/support/small-transformer.ts";
import { composeDefenses } from "../defenses/compose.ts";
import { random } from "../engine/random.ts";
import { runOnnx, setThreads } from "../engine/runtime.ts";
import { decodeSafetensors } from "../engine/safetensors.ts";
import type { StateDict } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { initialState } from "../models/bind.ts";
import { readClassifierFile } from "../models/imported/file.ts";
import { type Model, weightsOf } from "../models/model.ts";
import { onnx } from "../models/onnx.ts";
import { classifierPredictor } from "../models/predict.ts";
import { buildModel, chosenDefense } from "./choose.ts";
import { exportRun } from "./export.ts";
import { ARTIFACTS } from "./run-folder.ts";
import { WEIGHTS, writeState } from "./state-file.ts";
import { writeTargetDescription } from "./target-file.ts";

let run = "";
beforeAll(async () => {
  setThreads(1);
  run = await mkdtemp(join(tmpdir(), "export-"));
});
afterAll(() => rm(run, { recursive: true }));

test("a target whose architecture a defense reshaped is exported as it was trained", async () => {
  const choice = { kind: "resnet10", width: 4, stem: "small" };
  const changes = [
    { kind: "mid", beta: 0.003, width: 5 },
    { kind: "rolss" },
    { kind: "sca", features: 3, kernel: 3, lambda: 0.5, iterations: 4 },
  ];
  const plain = buildModel(choice, { input: [3, 16, 16], classes: 3 });
  const { model } = composeDefenses(plain, changes.map(chosenDefense));
  const state = initialState(weightsOf(model), 1);
  await writeState(join(run, ARTIFACTS, WEIGHTS), state);
  await writeTargetDescription(join(run, ARTIFACTS), {
    schemaVersion: 1,
    model: choice,
    input: [3, 16, 16],
    classes: ["a", "b", "c"],
    defense: "mid + rolss",
    changes,
    boundary: null,
  });

  const images = random(1, "images").uniforms(2 * 3 * 16 * 16);
  const onnx = await readFile(await exportRun(run, { format: "onnx" }));
  const exported = await runOnnx(onnx, { images: tensor(images, [2, 3, 16, 16]) });
  const net = await classifierPredictor(model, state);
  const { logits } = await net.predict(images, 2);
  await net.release();
  expectAllClose(exported.logits!.data, logits, { relative: 1e-4, absolute: 1e-5 });
  expect(new Set(logits).size).toBe(6);
});

describe("an imported model's file", () => {
  const description = (file: string) => ({
    schemaVersion: 1 as const,
    model: { kind: "onnx", file, weights: "start" },
    input: [3, 8, 8] as [number, number, number],
    classes: ["a", "b", "c", "d"],
    defense: "none",
    changes: [],
    boundary: null,
  });

  test.each<[string, Uint8Array, "batch" | 1]>([
    ["open", smallClassifier(), "batch"],
    ["of one image", smallTransformer(4), 1],
  ])("%s takes as many images at a time as it says", async (name, bytes, batch) => {
    const dir = join(run, name);
    const file = join(run, `${name}.onnx`);
    await writeFile(file, bytes);
    const said = description(file);
    const model = buildModel(said.model, { input: said.input, classes: 4 });
    const state = initialState(weightsOf(model), 1);
    await writeState(join(dir, ARTIFACTS, WEIGHTS), state);
    await writeTargetDescription(join(dir, ARTIFACTS), said);
    const exported = await exportRun(dir, { format: "onnx" });
    expect(readClassifierFile(exported).graph.metadata.input).toBe(`[${batch}, 3, 8, 8], values in [0, 1]`);

    const images = random(1, "images").uniforms(2 * 3 * 8 * 8);
    const net = await classifierPredictor(model, state);
    const { logits } = await net.predict(images, 2);
    await net.release();
    const rows = batch === 1 ? [0, 1].map((i) => images.subarray(i * 192, (i + 1) * 192)) : [images];
    const found: number[] = [];
    for (const row of rows) {
      const { logits: part } = await runOnnx(exported, { images: tensor(row, [row.length / 192, 3, 8, 8]) });
      found.push(...(part!.data as Float32Array));
    }
    expectAllClose(found, logits, { relative: 1e-4, absolute: 1e-5 });
  });
});

describe.each([
  ["colour", [3, 16, 16], { kind: "resnet10", width: 4, stem: "small", normalize: "imagenet" }],
  ["grey", [1, 16, 12], { kind: "resnet10", width: 4, stem: "small" }],
] as const)("a %s target's file says what it is", (name, input, choice) => {
  const classes = ["Ann", 'Bob, "B."', "Žofie"];
  const [channels, height, width] = input;
  const dir = () => join(run, name);
  const logitsOf = async (model: Model, state: StateDict, images: Float32Array) => {
    const net = await classifierPredictor(model, state);
    try {
      return (await net.predict(images, 2)).logits;
    } finally {
      await net.release();
    }
  };
  const model = () => buildModel(choice, { input: [...input], classes: 3 });
  const state = () => initialState(weightsOf(model()), 4);

  beforeAll(async () => {
    await writeState(join(dir(), ARTIFACTS, WEIGHTS), state());
    await writeTargetDescription(join(dir(), ARTIFACTS), {
      schemaVersion: 1,
      model: choice,
      input: [...input],
      classes,
      defense: "tl-dmi",
      changes: [],
      boundary: "layer2",
      data: "faces",
    });
  });

  test("read back without a setting it is the same classifier of the same classes", async () => {
    const file = await exportRun(dir(), { format: "onnx" });
    const back = onnx.build(onnx.config.parse({ file, weights: "target" }), { input: [...input], classes: 3 });
    expect(back.imported!.ownHead).toBe(true);
    expect(back.imported!.labels).toEqual(classes);
    await back.imported!.verify();
    const images = random(1, "images").uniforms(2 * channels * height * width);
    const wanted = await logitsOf(model(), state(), images);
    const logits = await logitsOf(back, initialState(weightsOf(back), 9), images);
    expectAllClose(logits, wanted, { relative: 1e-4, absolute: 1e-5 });
  });

  test("its metadata name preprocessing, labels, defense, boundary, data and version; the same target gives the same bytes", async () => {
    const file = await exportRun(dir(), { format: "onnx" });
    const each = (value: number) => JSON.stringify(Array(channels).fill(value));
    const metadata = {
      architecture: "resnet10",
      input: `[batch, ${input.join(", ")}], values in [0, 1]`,
      labels: JSON.stringify(classes),
      layout: "nchw",
      "Image.BitmapPixelFormat": channels === 1 ? "Gray8" : "Rgb8",
      "Image.NominalPixelRange": "Normalized_0_1",
      mean: each(0),
      std: each(1),
      defense: "tl-dmi",
      boundary: "layer2",
      data: "faces",
      "tl-dmi": packageJson.version,
    };
    expect(readClassifierFile(file).graph.metadata).toEqual(metadata);
    const bytes = await readFile(file);
    const again = await exportRun(dir(), { format: "onnx", out: join(dir(), "again.onnx") });
    expect(bytes.equals(await readFile(again))).toBe(true);
    const weights = await readFile(await exportRun(dir(), { format: "safetensors" }));
    const read = decodeSafetensors(weights, "file");
    expect(read.metadata).toMatchObject(metadata);
    expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(state()).sort());
  });
});
