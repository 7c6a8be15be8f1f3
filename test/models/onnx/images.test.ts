import { describe, expect, test } from "vitest";
import { input } from "../../../src/engine/graph.ts";
import { printGraph } from "../../../src/engine/print.ts";
import { random } from "../../../src/engine/random.ts";
import { fixed, initialState } from "../../../src/models/bind.ts";
import { factsMetadata, readFacts } from "../../../src/models/imported/metadata.ts";
import { logitsLayer, weightsOf } from "../../../src/models/model.ts";
import { expectAllClose } from "../../support/all-close.ts";
import { answer, images, N, onnxClassifiers, probabilities } from "../../support/onnx-classifiers.ts";
import { floats, onnxFile } from "../../support/onnx-file.ts";
import { smallClassifier } from "../../support/small-classifier.ts";

const { place, build, imported } = onnxClassifiers();

describe("what the file wants of an image", () => {
  const shape = [N, 3, 8, 8];
  /** The file's answer to the images after a function of channel and number. */
  const changed = (of: (x: number, channel: number) => number) =>
    answer(
      smallClassifier(),
      images.map((x, i) => of(x, Math.floor(i / 64) % 3)),
      shape,
    );

  test("its range, by option or by ONNX's metadata", async () => {
    const wanted = await changed((x) => 2 * x - 1);
    expectAllClose(await probabilities(imported({}, { range: [-1, 1] })), wanted, { relative: 1e-4 });
    const metadata = { "Image.NominalPixelRange": "Normalized_1_1" };
    expectAllClose(await probabilities(imported({ metadata })), wanted, { relative: 1e-4 });
  });

  test("mean and deviation of each channel, by option or by metadata", async () => {
    const [mean, std] = [
      [0.4, 0.5, 0.6],
      [0.2, 0.3, 0.4],
    ];
    const wanted = await changed((x, c) => (x - mean[c]!) / std[c]!);
    expectAllClose(await probabilities(imported({}, { mean, std })), wanted, { relative: 1e-4 });
    const metadata = { mean: JSON.stringify(mean), std: JSON.stringify(std) };
    expectAllClose(await probabilities(imported({ metadata })), wanted, { relative: 1e-4 });
  });

  test("channels the other way round", async () => {
    const turned = Float32Array.from(images, (_, i) => {
      const [n, c, at] = [Math.floor(i / 192), Math.floor(i / 64) % 3, i % 64];
      return images[n * 192 + (2 - c) * 64 + at]!;
    });
    const wanted = await answer(smallClassifier(), turned, shape);
    expectAllClose(await probabilities(imported({}, { channels: "bgr" })), wanted, { relative: 1e-4 });
    const metadata = { "Image.BitmapPixelFormat": "Bgr8" };
    expectAllClose(await probabilities(imported({ metadata })), wanted, { relative: 1e-4 });
  });

  test("channels behind height and width, as its shape shows", async () => {
    const wanted = await answer(smallClassifier(), images, shape);
    expectAllClose(await probabilities(imported({ layout: "nhwc" })), wanted, { relative: 1e-4 });
  });

  test("channels where the metadata says, of a shape that does not show it", () => {
    const metadata = factsMetadata(
      { range: [0, 1], mean: [0], std: [1], channels: "rgb", layout: "nhwc", labels: ["a", "b", "c", "d"] },
      3,
    );
    expect(readFacts(metadata, "file")).toMatchObject({
      layout: "nhwc",
      labels: ["a", "b", "c", "d"],
      channels: "rgb",
    });
    const graphOf = (said: Readonly<Record<string, string>>, settings: object = {}) => {
      const bytes = onnxFile({
        nodes: [
          ["Flatten", ["images"], ["f"], { axis: 1 }],
          ["Gemm", ["f", "w"], ["logits"], { transB: 1 }],
        ],
        weights: [floats("w", [4, 45], random(1, "w").normals(180))],
        inputs: { images: ["batch", 3, 5, 3] },
        outputs: ["logits"],
        metadata: said,
      });
      const model = build(place(bytes), settings, 4, [3, 3, 5]);
      const logits = fixed(initialState(weightsOf(model), 1)).apply(logitsLayer(model), input("x", [2, 3, 3, 5]));
      return printGraph({ logits });
    };
    expect(graphOf(metadata)).toBe(graphOf({}, { layout: "nhwc" }));
    expect(graphOf(metadata)).not.toBe(graphOf({}));
  });

  test("another size, and colour where the data are grey", () => {
    const model = build(place(smallClassifier()), {}, 4, [1, 20, 20]);
    const logits = fixed(initialState(weightsOf(model), 1)).apply(logitsLayer(model), input("x", [2, 1, 20, 20]));
    expect(logits.shape).toEqual([2, 4]);
  });

  test.each([
    ['["a","b"]', ["a", "b"]],
    ["{0: 'tench', 1: \"it's\"}", ["tench", "it's"]],
    ['{"1": "b", "0": "a"}', ["a", "b"]],
    ["a, b\nc", ["a", "b", "c"]],
    ["one word", undefined],
    ["{1: 'no zero'}", undefined],
  ])("labels as in %s", (text, labels) => {
    expect(readFacts({ names: text }, "file").labels).toEqual(labels);
  });
});
