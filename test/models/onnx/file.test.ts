import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import {
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
} from "onnx-buf";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/engine/errors.ts";
import { input } from "../../../src/engine/graph.ts";
import { random } from "../../../src/engine/random.ts";
import { initialState } from "../../../src/models/bind.ts";
import { readClassifierFile } from "../../../src/models/imported/file.ts";
import { moduleNames, uniqueNames } from "../../../src/models/imported/names.ts";
import { weightsOf } from "../../../src/models/model.ts";
import { expectAllClose } from "../../support/all-close.ts";
import { onnxClassifiers } from "../../support/onnx-classifiers.ts";
import { floats, onnxFile } from "../../support/onnx-file.ts";
import { type SmallClassifierOptions, smallClassifier } from "../../support/small-classifier.ts";

const { folder, place, build, imported } = onnxClassifiers();

describe("weights in a file beside the model", () => {
  const at = (location: string) =>
    create(TensorProtoSchema, {
      name: "fc.weight",
      dataType: DataType.FLOAT,
      dims: [4n, 192n],
      dataLocation: DataLocation.EXTERNAL,
      externalData: [{ key: "location", value: location }],
    });
  const model = (location: string) =>
    place(
      onnxFile({
        nodes: [
          ["Flatten", ["images"], ["flat"]],
          ["Gemm", ["flat", "fc.weight"], ["y"], { transB: 1 }],
        ],
        weights: [at(location)],
        inputs: { images: ["batch", 3, 8, 8] },
        outputs: ["y"],
      }),
    );
  const store = (name: string, seed: number) =>
    writeFileSync(join(folder, name), new Uint8Array(random(seed, "w").normals(768).buffer));

  test("are read, and are part of what the file is", async () => {
    store("w.bin", 1);
    const path = model("w.bin");
    const built = build(path);
    expectAllClose(initialState(weightsOf(built), 1)["fc.weight"]!.data, random(1, "w").normals(768));
    await built.imported!.verify();
    const { sha256 } = readClassifierFile(path);
    store("w.bin", 2);
    expect(() => build(path, { sha256 })).toThrow(/is another file than the one that was meant/);
  });

  test.each(["../w.bin", "/etc/hostname", "", "a/../../w.bin"])("are not read from %j", (location) => {
    expect(() => build(model(location))).toThrow(/is not beside the model/);
  });

  test("that are missing are named", () => {
    expect(() => build(model("none.bin"))).toThrow(
      /none\.bin: no such file; expected the weights that the model names$/,
    );
  });
});

describe("compared with the runtime", () => {
  test.each<[string, SmallClassifierOptions]>([
    ["an open batch", {}],
    ["a batch of one", { batch: 1 }],
    ["a batch of three", { batch: 3 }],
    ["channels at the end", { layout: "nhwc", batch: 1 }],
  ])("a file of %s is the same", (_what, options) => imported(options).imported!.verify());

  test("a file that mixes the images of its batch is not", async () => {
    const bytes = onnxFile({
      nodes: [
        ["ReduceMean", ["images"], ["mean"], { axes: [0], keepdims: 1 }],
        ["Sub", ["images", "mean"], ["centred"]],
        ["Flatten", ["centred"], ["flat"]],
        ["Gemm", ["flat", "fc.weight", "fc.bias"], ["y"], { transB: 1 }],
      ],
      weights: [floats("fc.weight", [4, 192], random(1, "w").normals(768)), floats("fc.bias", [4], [1, 2, 3, 4])],
      inputs: { images: [1, 3, 8, 8] },
      outputs: ["y"],
    });
    const model = build(place(bytes));
    await expect(model.imported!.verify()).rejects.toThrow(
      /batch of 2 images, "y" differs from what ONNX Runtime makes/,
    );
  });
});

test.each([
  [["features.0.weight"], ["features.3.weight", "features.4.weight"]],
  [["net/functional/conv/Conv2D:0"], ["net/functional/block/a/w:0", "net/functional/block/b/w:0"]],
  [
    ["conv1.weight", "bn1.weight"],
    ["193", "onnx::Conv_201"],
  ],
  [["trunk.a.conv.weight", "trunk.b.conv.weight"], ["trunk.b.fc.weight"]],
])("stages with the weights %j and %j", (...weights) => {
  const wanted: Record<string, string[]> = {
    "features.0.weight": ["features.0", "features.3"],
    "net/functional/conv/Conv2D:0": ["conv", "block"],
    "conv1.weight": ["conv1", "stage2"],
    "trunk.a.conv.weight": ["trunk.a", "trunk.b.fc"],
  };
  const held = { shape: [2], type: "float", fed: false, weighted: false, value: () => input("x", [2]) } as const;
  const names = new Map(weights.flat().map((name) => [name, { ...held, weight: name }]));
  const node = { op: "Conv", name: "number 1", outputs: [], attributes: new Map() };
  const stages = weights.map((inputs) => [{ ...node, inputs }]);
  expect(uniqueNames(moduleNames(stages, names))).toEqual(wanted[weights[0]![0]!]);
});

describe("mistakes", () => {
  const file = place(smallClassifier());
  test.each<[string, () => unknown, RegExp]>([
    [
      "a file that is not there",
      () => build(join(folder, "none.onnx")),
      /none\.onnx: no such file; expected an ONNX model$/,
    ],
    [
      "another file than the one that was meant",
      () => build(file, { sha256: "0".repeat(64) }),
      /its sha256 is [0-9a-f]{64}, not 0{64}/,
    ],
    ["numbers for other channels", () => build(file, { mean: [1, 2] }), /mean has 2 numbers for 3 channels/],
    ["an output that is not there", () => build(file, { output: "logit" }), /nothing makes the output "logit"/],
    [
      "metadata that is no list",
      () => imported({ metadata: { mean: "a half" } }),
      /metadata says mean: a half; a list of numbers/,
    ],
    ["a layout that cannot be", () => build(file, { layout: "nhwc" }), /has 8 channels as nhwc/],
    [
      "weights from outside",
      () => {
        const bytes = smallClassifier();
        return build(place(bytes.slice(0, 100)));
      },
      /no ONNX model/,
    ],
    [
      "a network for grey images, data in colour",
      () =>
        build(
          place(
            onnxFile({
              nodes: [
                ["Flatten", ["x"], ["f"]],
                ["Gemm", ["f", "w"], ["y"]],
              ],
              weights: [floats("w", [64, 4], random(1, "w").normals(256))],
              inputs: { x: ["n", 1, 8, 8] },
              outputs: ["y"],
            }),
          ),
        ),
      /it takes grey images, the data are in colour/,
    ],
    [
      "two outputs",
      () =>
        build(
          place(
            onnxFile({
              nodes: [
                ["Relu", ["x"], ["a"]],
                ["Neg", ["x"], ["b"]],
              ],
              inputs: { x: ["n", 3, 8, 8] },
              outputs: ["a", "b"],
            }),
          ),
        ),
      /has 2 outputs; name one as "output": a, b/,
    ],
    [
      "nothing to train",
      () => build(place(onnxFile({ nodes: [["Relu", ["x"], ["a"]]], inputs: { x: ["n", 3, 8, 8] }, outputs: ["a"] }))),
      /nothing between its input and "a" has weights/,
    ],
  ])("%s", (_what, run, message) => {
    expect(run).toThrow(UserError);
    expect(run).toThrow(message);
  });
});
