import { create } from "@bufbuild/protobuf";
import { TensorProto_DataType as DataType, TensorProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/engine/errors.ts";
import { input } from "../../src/engine/graph.ts";
import { importOnnx } from "../../src/engine/import/import-onnx.ts";
import { drawn, floats, int64s, type NodeOf, onnxFile } from "../support/onnx-file.ts";

describe("mistakes", () => {
  const identity: NodeOf = ["Identity", ["x"], ["y"]];
  const make = (nodes: readonly NodeOf[], more: object = {}) =>
    onnxFile({ nodes, inputs: { x: [1, 3, 4, 4] }, outputs: ["y"], ...more });
  const build = (bytes: Uint8Array) => importOnnx(bytes, { name: "a.onnx" }).build({ x: input("x", [1, 3, 4, 4]) });

  test.each<[string, () => unknown, RegExp]>([
    [
      "bytes that are no model",
      () => importOnnx(Uint8Array.of(1, 2, 3), { name: "a.onnx" }),
      /^a\.onnx: no ONNX model/,
    ],
    ["nothing", () => importOnnx(new Uint8Array(), { name: "a.onnx" }), /no graph/],
    ["an opset from the future", () => importOnnx(make([identity], { opset: 26 })), /opset 26 are not read.*11 to 25/],
    [
      "operators that are not there, all at once with their nodes",
      () =>
        importOnnx(
          make([
            ["LSTM", ["x"], ["a"]],
            ["NonMaxSuppression", ["a"], ["b"]],
            ["LSTM", ["b"], ["y"]],
          ]),
        ),
      /not supported: LSTM \(node "n0", "n2"\); NonMaxSuppression \(node "n1"\)/,
    ],
    [
      "names that would command a terminal",
      () => build(make([["Relu", ["z\n\u001b[31m"], ["y"]]])),
      /^a\.onnx: node "n0" \(Relu\) reads "z\?\?\[31m", which/,
    ],
    [
      "a constant that cannot be read",
      () =>
        build(
          make([
            ["Constant", [], ["c"], { value: { ...floats("c", [2], [1, 2]), dims: [3n] } }],
            ["Add", ["x", "c"], ["y"]],
          ]),
        ),
      /^a\.onnx: node "n0" \(Constant\): tensor "c" of shape \[3\] holds 8 bytes, 12 are needed/,
    ],
    ["a name that nothing makes", () => build(make([["Relu", ["z"], ["y"]]])), /node "n0" \(Relu\) reads "z"/],
    ["an output that nothing makes", () => importOnnx(make([["Relu", ["x"], ["z"]]])), /nothing makes the output "y"/],
    ["an input that is missing", () => build(make([["Conv", ["x"], ["y"]]])), /node "n0" \(Conv\): input 2 is missing/],
    [
      "shapes that do not fit",
      () => build(make([["Conv", ["x", "w"], ["y"]]], { weights: [drawn("w", 2, 5, 3, 3)] })),
      /^a\.onnx: node "n0" \(Conv\): .*\[1, 3, 4, 4\] and \[2, 5, 3, 3\]/,
    ],
    [
      "three axes behind the channels",
      () => {
        const bytes = onnxFile({
          nodes: [["MaxPool", ["x"], ["y"], { kernel_shape: [1, 1, 1] }]],
          inputs: { x: [1, 1, 2, 2, 2] },
          outputs: ["y"],
        });
        return importOnnx(bytes).build({ x: input("x", [1, 1, 2, 2, 2]) });
      },
      /3 axes behind batch and channels/,
    ],
    [
      "a shape that is computed from pixels",
      () => build(make([["Reshape", ["x", "x"], ["y"]]])),
      /input 2 must be known/,
    ],
    [
      "an attribute of another type",
      () => build(make([["Flatten", ["x"], ["y"], { axis: "one" }]])),
      /axis must be of type int/,
    ],
    [
      "weights whose bytes do not fill their shape",
      () =>
        importOnnx(
          make([["Add", ["x", "w"], ["y"]]], {
            weights: [
              create(TensorProtoSchema, {
                name: "w",
                dataType: DataType.FLOAT,
                dims: [4n],
                rawData: new Uint8Array(12),
              }),
            ],
          }),
        ),
      /"w" of shape \[4\] holds 12 bytes, 16 are needed/,
    ],
    [
      "text",
      () =>
        importOnnx(
          make([["Add", ["x", "w"], ["y"]]], {
            weights: [create(TensorProtoSchema, { name: "w", dataType: DataType.STRING, dims: [1n] })],
          }),
        ),
      /element type string, which is not read/,
    ],
    [
      "more memory than there is",
      () =>
        build(
          make([["Expand", ["x", "shape"], ["y"]]], { weights: [int64s("shape", [5], [2 ** 20, 2 ** 20, 1, 1, 1])] }),
        ),
      /more than the limit/,
    ],
    [
      "another shape than the declared one",
      () => importOnnx(make([identity])).build({ x: input("x", [1, 3, 5, 4]) }),
      /declared as \[1, 3, 4, 4\], given is \[1, 3, 5, 4\]/,
    ],
  ])("%s", (_what, run, message) => {
    expect(run).toThrow(UserError);
    expect(run).toThrow(message);
  });
});
