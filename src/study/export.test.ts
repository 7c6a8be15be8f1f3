import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { composeDefenses } from "../defenses/compose.ts";
import { random } from "../engine/random.ts";
import { runOnnx, setThreads } from "../engine/runtime.ts";
import { tensor } from "../engine/tensor.ts";
import { initialState } from "../models/bind.ts";
import { weightsOf } from "../models/model.ts";
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
