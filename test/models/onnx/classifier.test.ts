import { describe, expect, test } from "vitest";
import { grad } from "../../../src/engine/autodiff.ts";
import { constant, input } from "../../../src/engine/graph.ts";
import { softmax } from "../../../src/engine/ops/activation.ts";
import { crossEntropy } from "../../../src/engine/ops/loss.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { random } from "../../../src/engine/random.ts";
import { compile } from "../../../src/engine/runtime.ts";
import { createStore } from "../../../src/engine/store.ts";
import { tensor } from "../../../src/engine/tensor.ts";
import { fixed, initialState, trainable } from "../../../src/models/bind.ts";
import { linear } from "../../../src/models/layers.ts";
import {
  featureLayer,
  logitsLayer,
  type Model,
  splitAt,
  stageIndex,
  weightsOf,
  withHead,
} from "../../../src/models/model.ts";
import { expectAllClose } from "../../support/all-close.ts";
import { evaluate } from "../../support/evaluate.ts";
import { answer, images, N, onnxClassifiers, probabilities } from "../../support/onnx-classifiers.ts";
import { floats, int64s, onnxFile } from "../../support/onnx-file.ts";
import { smallClassifier } from "../../support/small-classifier.ts";
import { smallTransformer } from "../../support/small-transformer.ts";

const { place, build, imported } = onnxClassifiers();

describe("a classifier from a file", () => {
  test("answers as the runtime does, its softmax taken away", async () => {
    const wanted = await answer(smallClassifier(), images, [N, 3, 8, 8]);
    expectAllClose(await probabilities(imported()), wanted, { relative: 1e-4 });
  });

  test("takes any batch, though the file fixes one", async () => {
    const wanted = await answer(smallClassifier(), images, [N, 3, 8, 8]);
    expectAllClose(await probabilities(imported({ batch: 1 })), wanted, { relative: 1e-4 });
  });

  test("is cut wherever one tensor alone passes on, with the names of its modules", () => {
    const model = imported();
    expect(model.stages.map((s) => s.name)).toEqual(["conv1", "layer1.0", "layer2.0.conv1"]);
    expect(model.stages.map((s) => s.layer.weights.map((w) => `${w.kind} ${w.name}`))).toEqual([
      [
        "weight conv1.weight",
        "weight bn1.weight",
        "weight bn1.bias",
        "buffer bn1.running_mean",
        "buffer bn1.running_var",
      ],
      [
        "weight layer1.0.conv1.weight",
        "weight layer1.0.bn1.weight",
        "weight layer1.0.bn1.bias",
        "buffer layer1.0.bn1.running_mean",
        "buffer layer1.0.bn1.running_var",
        "weight layer1.0.conv2.weight",
      ],
      ["weight layer2.0.conv1.weight", "weight layer2.0.conv1.bias"],
    ]);
    expect(model.head.weights.map((w) => w.name)).toEqual(["fc.weight", "fc.bias"]);
    expect(model.features).toBe(10);
    expect(stageIndex(model, "layer1")).toBe(1);
  });

  test("gives the same in two pieces, at every boundary", async () => {
    const model = imported();
    const state = initialState(weightsOf(model), 1);
    const whole = await probabilities(model);
    for (const { name } of model.stages) {
      const { frozen, rest } = splitAt(model, name);
      const passed = fixed(state).apply(frozen, input("x", [N, 3, 8, 8]));
      const later = fixed(state).apply(rest, input("h", passed.shape));
      const numbers = Float32Array.from(await evaluate(passed, { x: images }));
      expectAllClose(await evaluate(softmax(later), { h: numbers }), whole, { relative: 1e-4 }, name);
    }
  });

  test("lets the gradient reach its images and every weight", async () => {
    const model = imported();
    const net = trainable({ training: false });
    const x = input("x", [N, 3, 8, 8]);
    const loss = crossEntropy(net.apply(logitsLayer(model), x), input("y", [N, 4]));
    const all = [x, ...net.trained()];
    expect(all.length - 1).toBe(weightsOf(model).filter((w) => w.kind === "weight").length);
    const gradients = grad(loss, all);
    const outputs = Object.fromEntries(all.map((v, i) => [v.leaf!.name, gradients[i]!]));
    const program = await compile({ outputs, store: createStore(initialState(weightsOf(model), 1)) });
    const y = Float32Array.from({ length: N * 4 }, (_, i) => Number(i % 4 === Math.floor(i / 4) % 4));
    for (const [name, { data }] of Object.entries(await program.run({ x: images, y }))) {
      expect(data.some((g) => g !== 0) && data.every(Number.isFinite), name).toBe(true);
    }
    await program.release();
  });

  test("trains its batch norms by the batch, and its statistics follow", async () => {
    const model = imported();
    const state = initialState(weightsOf(model), 1);
    const net = trainable({ training: true });
    const first = net.apply(model.stages[0]!.layer, input("x", [N, 3, 8, 8]));
    expect(Object.keys(net.updates)).toEqual(["bn1.running_mean", "bn1.running_var"]);
    const program = await compile({ outputs: { first, ...net.updates }, store: createStore(state) });
    const out = await program.run({ x: images });
    // Worked out by loops: the convolution's first channel, its mean and unbiased variance, followed by a tenth.
    const w = state["conv1.weight"]!.data;
    const values: number[] = [];
    for (let n = 0; n < N; n++)
      for (let i = 0; i < 8; i++)
        for (let j = 0; j < 8; j++) {
          let total = 0;
          for (let c = 0; c < 3; c++)
            for (let u = 0; u < 3; u++)
              for (let v = 0; v < 3; v++) {
                const [p, q] = [i + u - 1, j + v - 1];
                if (p >= 0 && p < 8 && q >= 0 && q < 8)
                  total += w[c * 9 + u * 3 + v]! * images[((n * 3 + c) * 8 + p) * 8 + q]!;
              }
          values.push(total);
        }
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1);
    const old = (name: string) => state[`bn1.running_${name}`]!.data[0]!;
    expectAllClose([out["bn1.running_mean"]!.data[0]!], [0.9 * old("mean") + 0.1 * mean], { relative: 1e-4 });
    expectAllClose([out["bn1.running_var"]!.data[0]!], [0.9 * old("var") + 0.1 * variance], { relative: 1e-4 });
    await program.release();
  });

  test("gets a new head where other classes are wanted, and keeps the rest", async () => {
    const model = imported({}, {}, 7);
    expect(model.head.weights.map(({ name, shape }) => [name, shape])).toEqual([
      ["head.weight", [7, 10]],
      ["head.bias", [7]],
    ]);
    expect(model.imported!.ownHead).toBe(false);
    const of = (m: Model) =>
      evaluate(fixed(initialState(weightsOf(m), 1)).apply(featureLayer(m), input("x", [N, 3, 8, 8])), { x: images });
    expectAllClose(await of(model), await of(imported()));
    const narrow = withHead(model, linear("fc", 10, 3));
    expect(
      fixed(initialState(weightsOf(narrow), 1)).apply(logitsLayer(narrow), input("x", [2, 3, 8, 8])).shape,
    ).toEqual([2, 3]);
  });

  test("takes a tensor as feature vector just as it is", async () => {
    const model = imported({}, { features: "probabilities" }, 7);
    const features = fixed(initialState(weightsOf(model), 1)).apply(featureLayer(model), input("x", [N, 3, 8, 8]));
    const wanted = await answer(smallClassifier(), images, [N, 3, 8, 8]);
    expectAllClose(await evaluate(features, { x: images }), wanted, { relative: 1e-4 });
  });

  test("takes an inner tensor as feature vector", () => {
    const model = imported({}, { features: "g4" });
    expect([model.features, model.head.weights[0]!.name]).toEqual([10, "head.weight"]);
    expect(model.stages.at(-1)!.name).toBe("layer2.0.conv1");
    expect(() => imported({}, { features: "c2" })).not.toThrow();
    expect(() => imported({}, { features: "r9" })).toThrow(/nothing makes the output "r9"/);
  });

  test("whose head is a convolution on a map gets that map back from its features", async () => {
    const rng = random(8, "fully convolutional");
    const bytes = onnxFile({
      nodes: [
        ["Conv", ["images", "a"], ["c"], { strides: [2, 2] }],
        ["Relu", ["c"], ["r"]],
        ["Conv", ["r", "b"], ["d"]],
        ["GlobalAveragePool", ["d"], ["g"]],
        ["Reshape", ["g", "shape"], ["probabilities"]],
      ],
      weights: [
        floats("a", [5, 3, 2, 2], rng.normals(60)),
        floats("b", [4, 5, 1, 1], rng.normals(20)),
        int64s("shape", [2], [0, 4]),
      ],
      inputs: { images: ["batch", 3, 8, 8] },
      outputs: ["probabilities"],
    });
    const model = build(place(bytes));
    expect([model.features, model.stages.map((s) => s.name)]).toEqual([5 * 16, ["a"]]);
    const logits = fixed(initialState(weightsOf(model), 1)).apply(logitsLayer(model), input("x", [N, 3, 8, 8]));
    expectAllClose(await evaluate(logits, { x: images }), await answer(bytes, images, [N, 3, 8, 8]), {
      relative: 1e-4,
      absolute: 1e-5,
    });
  });

  test("has a weight of its own for each place that an exporter stores but once", async () => {
    const rng = random(9, "shared");
    const bytes = onnxFile({
      nodes: [
        ["Conv", ["images", "a.conv.weight"], ["c1"]],
        ["Identity", ["a.norm.weight"], ["b.norm.weight"]],
        ["Mul", ["c1", "a.norm.weight"], ["m1"]],
        ["Conv", ["m1", "b.conv.weight"], ["c2"]],
        ["Mul", ["c2", "b.norm.weight"], ["m2"]],
        ["Conv", ["m2", "b.conv.weight"], ["c3"]],
        ["GlobalAveragePool", ["c3"], ["g"]],
        ["Flatten", ["g"], ["f"]],
        ["Gemm", ["f", "fc.weight"], ["probabilities"]],
      ],
      weights: [
        floats("a.conv.weight", [3, 3, 1, 1], rng.normals(9)),
        floats("a.norm.weight", [3, 1, 1], [1, 2, 3]),
        floats("b.conv.weight", [3, 3, 1, 1], rng.normals(9)),
        floats("fc.weight", [3, 4], rng.normals(12)),
      ],
      inputs: { images: ["batch", 3, 8, 8] },
      outputs: ["probabilities"],
    });
    const model = build(place(bytes));
    expect(model.stages.map((s) => s.layer.weights.map((w) => w.name))).toEqual([
      ["a.conv.weight", "a.norm.weight"],
      ["b.conv.weight", "b.norm.weight"],
      ["b.conv.weight@f"],
    ]);
    expect(new Set(weightsOf(model).map((w) => w.name)).size).toBe(weightsOf(model).length);
    const logits = fixed(initialState(weightsOf(model), 1)).apply(logitsLayer(model), input("x", [N, 3, 8, 8]));
    const wanted = await answer(bytes, images, [N, 3, 8, 8]);
    expectAllClose(await evaluate(logits, { x: images }), wanted, { relative: 1e-4, absolute: 1e-5 });
  });

  test("of one layer has the image itself as features", () => {
    const bytes = onnxFile({
      nodes: [
        ["Flatten", ["images"], ["flat"]],
        ["Gemm", ["flat", "w"], ["probabilities"], { transB: 1 }],
      ],
      weights: [floats("w", [4, 192], random(1, "w").normals(768))],
      inputs: { images: ["batch", 3, 8, 8] },
      outputs: ["probabilities"],
    });
    const model = build(place(bytes));
    expect([model.features, model.stages.map((s) => s.name)]).toEqual([192, ["stage1"]]);
    expect(model.head.weights.map((w) => w.name)).toEqual(["weights.w"]);
  });
});

describe("a vision transformer", () => {
  const path = place(smallTransformer(4));
  const model = build(path);

  test("has its tokens, positions and layers as weights, in stages of half a block", () => {
    expect(model.stages.map((s) => [s.name, s.layer.weights.length])).toEqual([
      ["patch_embed.proj", 4],
      ["blocks.0.attn", 5],
      ["blocks.0.mlp", 6],
    ]);
    const names = weightsOf(model).map((w) => w.name);
    expect(names).toEqual(expect.arrayContaining(["cls_token", "pos_embed", "blocks.0.norm1.weight", "head.bias"]));
    expect([names.length, model.features]).toEqual([17, 6]);
  });

  test("gives for a batch what the runtime gives for each image, though it fixes a batch of one", () =>
    model.imported!.verify());

  test("lets the gradient reach every weight", async () => {
    const net = trainable({ training: true });
    const logits = net.apply(logitsLayer(model), input("x", [3, 3, 8, 8]));
    const weights = net.trained();
    const gradients = grad(crossEntropy(logits, input("y", [3, 4])), weights);
    const outputs = Object.fromEntries(weights.map((w, i) => [w.leaf!.name, gradients[i]!]));
    const program = await compile({ outputs, store: createStore(initialState(weightsOf(model), 1)) });
    const y = Float32Array.from({ length: 12 }, (_, i) => Number(i % 4 === Math.floor(i / 4)));
    for (const [name, { data }] of Object.entries(await program.run({ x: images.subarray(0, 3 * 192), y }))) {
      expect(data.some((g) => g !== 0) && data.every(Number.isFinite), name).toBe(true);
    }
    await program.release();
  });
});

test("the sum of an imported model's logits is differentiable twice", async () => {
  const model = imported();
  const x = input("x", [2, 3, 8, 8]);
  const logits = fixed(initialState(weightsOf(model), 1)).apply(logitsLayer(model), x);
  const [g] = grad(sum(softmax(logits), [0]), [x], constant(tensor([1, -2, 0.5, 3], [4])));
  const [second] = grad(sum(g!), [x]);
  const found = await evaluate(second!, { x: images.subarray(0, 2 * 192) });
  expect(found.every(Number.isFinite) && found.some((v) => v !== 0)).toBe(true);
});
