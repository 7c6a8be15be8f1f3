import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { input } from "../../src/engine/graph.ts";
import { softmax } from "../../src/engine/ops/activation.ts";
import { random } from "../../src/engine/random.ts";
import { runOnnx } from "../../src/engine/runtime.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { fixed, initialState } from "../../src/models/bind.ts";
import { logitsLayer, type Model, weightsOf } from "../../src/models/model.ts";
import { onnx } from "../../src/models/onnx.ts";
import { evaluate } from "./evaluate.ts";
import { type SmallClassifierOptions, smallClassifier } from "./small-classifier.ts";

/** How many images there are. */
export const N = 5;
/** Colour images of 8×8, [N, 3, 8, 8]. */
export const images = random(2, "images").uniforms(N * 3 * 64);

/** A model's probabilities of the images, [N, classes]. */
export const probabilities = (model: Model) =>
  evaluate(
    softmax(fixed(initialState(weightsOf(model), 1)).apply(logitsLayer(model), input("x", [N, ...model.input]))),
    { x: images },
  );

/** The file's own answer to images that are already as it wants them. */
export async function answer(
  bytes: Uint8Array,
  numbers: Float32Array,
  shape: readonly number[],
): Promise<Float32Array> {
  const outputs = await runOnnx(bytes, { images: tensor(numbers, shape) });
  return outputs.probabilities!.data as Float32Array;
}

/** Classifiers from files in a folder that lasts as long as the tests of the file that calls this. */
export function onnxClassifiers() {
  const folder = mkdtempSync(join(tmpdir(), "onnx-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let files = 0;
  const place = (bytes: Uint8Array): string => {
    const path = join(folder, `${files++}.onnx`);
    writeFileSync(path, bytes);
    return path;
  };
  const build = (file: string, settings: object = {}, classes = 4, image: Model["input"] = [3, 8, 8]) =>
    onnx.build(onnx.config.parse({ file, ...settings }), { input: image, classes });
  const imported = (options: SmallClassifierOptions = {}, settings: object = {}, classes = 4) =>
    build(place(smallClassifier(options)), settings, classes);
  return { folder, place, build, imported };
}
