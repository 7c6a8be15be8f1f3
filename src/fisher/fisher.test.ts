import { beforeAll, describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { IDENTITIES, type TinyWorld, tinyModel, tinyWorld, trainedTarget } from "../../test/support/tiny-world.ts";
import { all } from "../data/loader.ts";
import { memorySet } from "../data/memory-set.ts";
import { grad } from "../engine/autodiff.ts";
import { input } from "../engine/graph.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { random } from "../engine/random.ts";
import { compile, setThreads } from "../engine/runtime.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { trainable } from "../models/bind.ts";
import { flatten, linear } from "../models/layers.ts";
import { logitsLayer, type Model } from "../models/model.ts";
import { classificationFisher, drawLabels } from "./classification.ts";
import { fisherMeter } from "./fisher.ts";

setThreads(1);

/** Logistic regression on 3 pixels: one stage without weights, and a linear head. */
const PIXELS = 3;
const logistic: Model = {
  kind: "logistic",
  stages: [{ name: "pixels", layer: flatten }],
  head: linear("fc", PIXELS, 2),
  features: PIXELS,
  classes: 2,
  input: [1, 1, PIXELS],
};
const weights: StateDict = {
  "fc.weight": tensor([0.3, -0.5, 1.1, -0.2, 0.4, 0.7], [2, PIXELS]),
  "fc.bias": tensor([0.1, -0.3], [2]),
};
const COUNT = 37;
const pixels = Uint8Array.from(random(1, "pixels").uniforms(COUNT * PIXELS), (u) => Math.round(255 * u));
const labels = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
const images = memorySet({
  name: "pixels",
  channels: 1,
  height: 1,
  width: PIXELS,
  classes: ["a", "b"],
  labels,
  bytes: pixels,
});

/** Rows of probabilities and pixels, worked out without the engine. */
const rows = Array.from({ length: COUNT }, (_, i) => {
  const x = Array.from(pixels.subarray(i * PIXELS, (i + 1) * PIXELS), (b) => b / 255);
  const logit = (k: number) =>
    x.reduce((sum, v, j) => sum + v * weights["fc.weight"]!.data[k * PIXELS + j]!, weights["fc.bias"]!.data[k]!);
  const p = 1 / (1 + Math.exp(logit(0) - logit(1)));
  return { x, probabilities: [1 - p, p] as const, label: labels[i]! };
});

/** The trace over the mean of (p_k − y_k)²·x_j² and, for the bias, (p_k − y_k)². */
const closedForm = (weight: (row: (typeof rows)[number], label: number) => number) => {
  let trace = 0;
  for (const row of rows)
    for (const label of [0, 1])
      for (const k of [0, 1]) {
        const error = (row.probabilities[k]! - Number(k === label)) ** 2;
        trace += weight(row, label) * error * (1 + row.x.reduce((sum, v) => sum + v * v, 0));
      }
  return trace / COUNT / (2 * PIXELS + 2);
};

const common = { model: logistic, state: weights, images, batch: 8, seed: 1 };

describe("the Fisher information of logistic regression", () => {
  test("by given labels is E[(p − y)²x²]", async () => {
    const [layer, ...others] = await classificationFisher(common);
    expect(others).toEqual([]);
    expect(layer).toMatchObject({ layer: "fc", stage: null, kernel: true, parameters: 2 * PIXELS + 2 });
    expect(layer!.fisher).toBeCloseTo(
      closedForm((row, label) => Number(label === row.label)),
      6,
    );
  });

  test("by the model's own labels tends to its expectation over them, E[p(1 − p)x²]", async () => {
    const drawn = await Promise.all(
      Array.from({ length: 60 }, (_, seed) => classificationFisher({ ...common, labels: "true", seed })),
    );
    const mean = drawn.reduce((sum, [layer]) => sum + layer!.fisher, 0) / drawn.length;
    const wanted = closedForm((row, label) => row.probabilities[label]!);
    expect(Math.abs(mean / wanted - 1)).toBeLessThan(0.05);
    expect(Math.abs(wanted / closedForm((row, label) => Number(label === row.label)) - 1)).toBeGreaterThan(0.05);
  });

  test("falls as 1/c² where a weight is c times as large and its pixels 1/c", async () => {
    const dimmed = memorySet({ ...images, bytes: pixels.map((b) => (b >> 1) << 1) });
    const halved = memorySet({ ...images, bytes: pixels.map((b) => b >> 1) });
    const doubled = {
      ...weights,
      "fc.weight": tensor(
        weights["fc.weight"]!.data.map((w) => 2 * w),
        [2, PIXELS],
      ),
    };
    const kernelOf = async (state: StateDict, set: typeof dimmed) => {
      const [layer] = await classificationFisher({ ...common, state, images: set });
      return layer!.fisher;
    };
    // The bias is the same in both; it is what is left as the pixels go to zero.
    const bias = rows.reduce((sum, _, i) => sum + 2 * errorAt(i) ** 2, 0) / COUNT / (2 * PIXELS + 2);
    const ratio = ((await kernelOf(weights, dimmed)) - bias) / ((await kernelOf(doubled, halved)) - bias);
    expect(ratio).toBeCloseTo(4, 2);
  });
});

/** p − y of the even pixels' row i, for class 1. */
function errorAt(i: number): number {
  const x = Array.from(pixels.subarray(i * PIXELS, (i + 1) * PIXELS), (b) => ((b >> 1) << 1) / 255);
  const logit = (k: number) =>
    x.reduce((sum, v, j) => sum + v * weights["fc.weight"]!.data[k * PIXELS + j]!, weights["fc.bias"]!.data[k]!);
  return 1 / (1 + Math.exp(logit(0) - logit(1))) - labels[i]!;
}

test("labels are drawn by the model's probabilities", () => {
  const logits = Float32Array.of(0, Math.log(2), Math.log(5));
  const at = (u: number) => drawLabels(logits, 3, () => u)[0];
  expect([0, 0.124, 0.126, 0.374, 0.376, 0.999].map(at)).toEqual([0, 0, 1, 1, 2, 2]);
});

describe("the Fisher information of a trained residual network", () => {
  const model = tinyModel();
  let world: TinyWorld;
  let state: StateDict;

  beforeAll(async () => {
    world = await tinyWorld();
    state = await trainedTarget();
  });

  /** Squared gradients of the mean loss of each batch, from a program for batches of that size. */
  async function squares(batch: number): Promise<Map<string, number>> {
    const net = trainable({ training: false });
    const logits = net.apply(logitsLayer(model), input("images", [batch, ...model.input]));
    const loss = crossEntropy(logits, oneHot(input("labels", [batch], "int32"), IDENTITIES));
    const of = net.trained();
    const gradients = grad(loss, of);
    const outputs = Object.fromEntries(of.map((w, i) => [w.leaf!.name, gradients[i]!]));
    const program = await compile({ outputs, store: createStore(state) });
    const sums = new Map<string, number>();
    let batches = 0;
    for await (const part of all(world.validation, batch)) {
      batches += 1;
      for (const [name, { data }] of Object.entries(await program.run({ images: part.images, labels: part.labels })))
        sums.set(name, (sums.get(name) ?? 0) + (data as Float32Array).reduce((n, x) => n + x * x, 0));
    }
    await program.release();
    return new Map([...sums].map(([name, sum]) => [name, sum / batches]));
  }

  const measured = (form: "per-example" | "batch-mean") =>
    classificationFisher({ model, state, images: world.validation, form, batch: 12, seed: 1 });

  test.each([
    ["per-example", 1],
    ["batch-mean", 12],
  ] as const)("%s is that of a loop over batches of %d", async (form, batch) => {
    const wanted = await squares(batch);
    const layers = await measured(form);
    for (const { layer, fisher, parameters } of layers) {
      const traces = [...wanted].flatMap(([name, sum]) => (name.startsWith(`${layer}.`) ? [sum] : []));
      expectAllClose(
        [fisher],
        [traces.reduce((a, b) => a + b, 0) / parameters],
        { relative: 2e-3, absolute: 1e-12 },
        layer,
      );
    }
    expect(layers.map((l) => l.layer)).toEqual(
      expect.arrayContaining(["conv1", "layer3.0.conv2", "layer2.0.bn1", "fc"]),
    );
    expect(layers.filter((l) => l.stage === null).map((l) => l.layer)).toEqual(["fc"]);
    expect(layers.find((l) => l.layer === "layer2.0.bn1")).toMatchObject({ stage: "layer2.0", kernel: false });
  });

  test("is larger image by image than by batches, in which gradients cancel", async () => {
    const [own, mean] = [await measured("per-example"), await measured("batch-mean")];
    for (const [i, { fisher, layer }] of own.entries()) expect(fisher, layer).toBeGreaterThan(mean[i]!.fisher);
  });

  test("does not count what fills a batch up", async () => {
    const few = (await all(world.validation, 5).next()).value!;
    const layersAt = async (batch: number) => {
      const meter = await fisherMeter({ model, state, batch });
      await meter.add(few.images, few.labels);
      const layers = meter.layers();
      await meter.release();
      return layers.map((l) => l.fisher);
    };
    expectAllClose(await layersAt(16), await layersAt(5), { relative: 1e-3 });
  });

  test("needs an image", async () => {
    const meter = await fisherMeter({ model, state });
    expect(() => meter.layers()).toThrow("needs an image");
    await meter.release();
  });
});
