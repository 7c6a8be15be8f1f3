import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { memorySet } from "../../src/data/memory-set.ts";
import { grad } from "../../src/engine/autodiff.ts";
import { UserError } from "../../src/engine/errors.ts";
import { input, type Value } from "../../src/engine/graph.ts";
import { crossEntropy } from "../../src/engine/ops/loss.ts";
import { random } from "../../src/engine/random.ts";
import { compile, runOnnx } from "../../src/engine/runtime.ts";
import { createStore } from "../../src/engine/store.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { initialState, trainable } from "../../src/models/bind.ts";
import { featureLayer, logitsLayer, type Model, type ModelFamily, weightsOf } from "../../src/models/model.ts";
import { onnx } from "../../src/models/onnx.ts";
import { classifierPredictor } from "../../src/models/predict.ts";
import { resnet10 } from "../../src/models/resnet.ts";
import { classification, oneHotTargets, train } from "../../src/models/train.ts";
import { TrainingSettings } from "../../src/models/training.ts";
import { vgg16Bn } from "../../src/models/vgg.ts";
import { classifierOnnx } from "../../src/study/export.ts";
import { expectAllClose } from "../support/all-close.ts";
import { formulaWeights } from "../support/formula-weights.ts";
import { memoryWork } from "../support/memory-work.ts";
import { type SmallModel, smallModels } from "../support/small-models.ts";

const CLASSES = 5;

const folder = mkdtempSync(join(tmpdir(), "models-"));

/** A file to import: an export of ours, its batch norms folded into the convolutions. */
function placeFile(): string {
  const built = resnet10.build(resnet10.config.parse({ width: 4 }), { input: [3, 32, 32], classes: CLASSES });
  const path = join(folder, "classifier.onnx");
  writeFileSync(path, classifierOnnx(built, initialState(weightsOf(built), 5), {}));
  return path;
}

const imported: SmallModel = {
  family: onnx as ModelFamily,
  config: { file: placeFile() },
  side: 32,
  larger: 64,
  representative: true,
  trained: true,
};

afterAll(() => rmSync(folder, { recursive: true }));

describe.each([...smallModels, imported])(
  "$family.kind",
  ({ family, config, side, larger, representative, trained }) => {
    const build = (input: Model["input"]): Model =>
      family.build(family.config.parse(config), { input, classes: CLASSES });
    const INPUT: Model["input"] = [3, side, side];
    const model = build(INPUT);
    const state = initialState(weightsOf(model), 1);

    test("hands on a feature vector of the length it states, and one logit a class", () => {
      const net = trainable({ training: false });
      const features = net.apply(featureLayer(model), input("x", [2, ...INPUT]));
      expect(features.shape).toEqual([2, model.features]);
      expect(net.apply(model.head, features).shape).toEqual([2, CLASSES]);
    });

    test("takes grey images and larger ones", () => {
      const other = build([1, larger, larger]);
      const logits = trainable({ training: false }).apply(logitsLayer(other), input("x", [2, 1, larger, larger]));
      expect(logits.shape).toEqual([2, CLASSES]);
    });

    test("names every stage and every tensor once", () => {
      const stages = model.stages.map((s) => s.name);
      const tensors = weightsOf(model).map((w) => w.name);
      expect(new Set(stages).size).toBe(stages.length);
      expect(new Set(tensors).size).toBe(tensors.length);
    });

    test.runIf(representative)("lets the gradient reach every weight", async () => {
      const net = trainable({ training: false });
      const logits = net.apply(logitsLayer(model), input("x", [4, ...INPUT]));
      const weights = net.trained();
      expect(weights.length).toBe(weightsOf(model).filter((w) => w.kind === "weight").length);
      const gradients = grad(crossEntropy(logits, input("y", [4, CLASSES])), weights);
      const outputs = Object.fromEntries(weights.map((w, i): [string, Value] => [w.leaf!.name, gradients[i]!]));
      // A head may start at zero, behind which nothing has a gradient before the first step.
      const begun = { ...state, ...formulaWeights(model.head.weights) };
      const program = await compile({ outputs, store: createStore(begun) });
      const rng = random(1, "gradients");
      const found = await program.run({
        x: rng.uniforms(4 * 3 * side * side),
        y: Float32Array.from({ length: 4 * CLASSES }, (_, i) => (i % CLASSES === Math.floor(i / CLASSES) ? 1 : 0)),
      });
      for (const [name, { data }] of Object.entries(found)) {
        expect(
          data.some((g) => g !== 0),
          `no gradient for ${name}`,
        ).toBe(true);
        expect(data.every(Number.isFinite), `the gradient for ${name} is finite`).toBe(true);
      }
      await program.release();
    });

    test.runIf(trained)("learns sixteen images by heart", async () => {
      const rng = random(2, "by heart");
      const set = memorySet({
        name: "sixteen images",
        channels: 3,
        height: side,
        width: side,
        classes: ["a", "b", "c", "d", "e"],
        labels: Int32Array.from({ length: 16 }, (_, i) => i % CLASSES),
        bytes: Uint8Array.from({ length: 16 * 3 * side * side }, () => rng.int(256)),
      });
      const work = memoryWork();
      await train({
        work,
        name: "by heart",
        trained: logitsLayer(model),
        start: state,
        objective: classification,
        targets: oneHotTargets(CLASSES),
        train: set,
        settings: TrainingSettings.parse({ epochs: 60, batch: 16, optimizer: "adam", rate: 0.01 }),
        seed: 3,
      });
      const [first, last] = [work.rows[0]!, work.rows.at(-1)!];
      expect(Number(last.loss)).toBeLessThan(0.1 * Number(first.loss));
      expect(last.score).toBe(1);
    });

    test.runIf(representative)("gives the same logits as an ONNX file, at another batch size", async () => {
      // Statistics as after training, so that the file must carry them.
      const rng = random(4, "export");
      const used = Object.fromEntries(
        Object.entries(state).map(([name, t]) => [
          name,
          /running|bias/.test(name)
            ? tensor(
                t.data.map((x) => x + 0.2 * rng.uniform()),
                t.shape,
              )
            : t,
        ]),
      );
      const images = rng.uniforms(7 * 3 * side * side);
      const net = await classifierPredictor(model, used, 4);
      const { logits } = await net.predict(images, 7);
      await net.release();
      const exported = await runOnnx(classifierOnnx(model, used, { made: "by a test" }), {
        images: tensor(images, [7, ...INPUT]),
      });
      expect(exported.logits!.shape).toEqual([7, CLASSES]);
      expectAllClose(exported.logits!.data, logits, { relative: 1e-3, absolute: 1e-4 });
    });
  },
);

test("vgg16_bn refuses a size that cannot be halved five times", () => {
  const shape = { input: [3, 48, 48], classes: CLASSES } as const;
  expect(() => vgg16Bn.build(vgg16Bn.config.parse({}), shape)).toThrow(UserError);
});
