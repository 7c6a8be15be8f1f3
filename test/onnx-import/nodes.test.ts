import { readFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { TensorProto_DataType as DataType, TensorProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { input } from "../../src/engine/graph.ts";
import { importOnnx } from "../../src/engine/import/import-onnx.ts";
import { operators } from "../../src/engine/import/operators/index.ts";
import { random } from "../../src/engine/random.ts";
import { runOnnx } from "../../src/engine/runtime.ts";
import { sizeOf } from "../../src/engine/shape.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { expectAllClose } from "../support/all-close.ts";
import { evaluate } from "../support/evaluate.ts";
import { type AttributeOf, drawn, floats, int64s, onnxFile } from "../support/onnx-file.ts";

/** Builds a file's only output on numbers, and compares it with the runtime on the file as it is. */
async function sameAsRuntime(file: Uint8Array, feed: Record<string, readonly number[]>): Promise<void> {
  const numbers = Object.fromEntries(
    Object.entries(feed).map(([name, shape]) => [name, random(3, name).normals(sizeOf(shape))]),
  );
  const graph = importOnnx(file);
  const built = graph.build(
    Object.fromEntries(Object.entries(feed).map(([name, shape]) => [name, input(name, shape)])),
  );
  const reference = await runOnnx(
    file,
    Object.fromEntries(Object.entries(feed).map(([name, shape]) => [name, tensor(numbers[name]!, shape)])),
  );
  for (const name of graph.outputs) {
    expect(built[name]!.shape, name).toEqual(reference[name]!.shape);
    const got = await evaluate(built[name]!.value(), numbers);
    expectAllClose(got, reference[name]!.data as Float32Array, { relative: 1e-4, absolute: 1e-5 }, name);
  }
}

/** One node x → y with weights, at an opset. */
type Case = readonly [
  what: string,
  op: string,
  shape: readonly number[],
  attributes?: Record<string, AttributeOf>,
  weights?: ReturnType<typeof floats>[],
  opset?: number,
];

const half = { float: 0.5 };

const CASES: readonly Case[] = [
  [
    "stride, dilation, uneven padding",
    "Conv",
    [2, 4, 9, 8],
    { strides: [2, 1], dilations: [1, 2], pads: [1, 0, 2, 1] },
    [drawn("w", 6, 4, 3, 3), drawn("b", 6)],
  ],
  ["groups", "Conv", [1, 4, 5, 5], { group: 2 }, [drawn("w", 6, 2, 3, 3)]],
  ["SAME_UPPER", "Conv", [1, 2, 6, 7], { auto_pad: "SAME_UPPER", strides: [2, 2] }, [drawn("w", 3, 2, 3, 2)]],
  ["SAME_LOWER", "Conv", [1, 2, 6, 7], { auto_pad: "SAME_LOWER", strides: [2, 2] }, [drawn("w", 3, 2, 4, 3)]],
  ["VALID", "Conv", [1, 2, 6, 7], { auto_pad: "VALID" }, [drawn("w", 3, 2, 4, 3)]],
  ["one axis", "Conv", [2, 3, 10], { pads: [1, 2], strides: [2] }, [drawn("w", 4, 3, 3), drawn("b", 4)]],
  [
    "output padding",
    "ConvTranspose",
    [1, 3, 4, 5],
    { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 0] },
    [drawn("w", 3, 2, 3, 3), drawn("b", 2)],
  ],
  [
    "uneven padding",
    "ConvTranspose",
    [1, 3, 4, 5],
    { strides: [2, 1], pads: [0, 1, 1, 2] },
    [drawn("w", 3, 2, 3, 3), drawn("b", 2)],
  ],
  ["output shape", "ConvTranspose", [1, 2, 3, 3], { strides: [3, 2], output_shape: [10, 8] }, [drawn("w", 2, 2, 3, 3)]],
  ["one axis", "ConvTranspose", [1, 2, 5], { strides: [2] }, [drawn("w", 2, 3, 3)]],
  [
    "padding at two opposite sides",
    "MaxPool",
    [1, 2, 7, 6],
    { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
  ],
  ["ceil_mode", "MaxPool", [1, 2, 6, 6], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  ["dilations", "MaxPool", [1, 2, 7, 7], { kernel_shape: [2, 2], dilations: [2, 3] }],
  ["one axis", "MaxPool", [1, 2, 7], { kernel_shape: [3], strides: [2] }],
  ["padding left out", "AveragePool", [1, 2, 7, 7], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  [
    "padding counted",
    "AveragePool",
    [1, 2, 7, 7],
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 },
  ],
  ["ceil_mode", "AveragePool", [1, 2, 6, 8], { kernel_shape: [3, 2], strides: [2, 3], ceil_mode: 1 }],
  ["SAME_UPPER", "AveragePool", [1, 1, 5, 5], { kernel_shape: [2, 2], auto_pad: "SAME_UPPER" }],
  ["", "LpPool", [1, 2, 6, 6], { kernel_shape: [2, 2], p: 3 }],
  ["", "GlobalAveragePool", [2, 3, 4, 5]],
  ["", "GlobalMaxPool", [2, 3, 4, 5]],
  [
    "inference",
    "BatchNormalization",
    [2, 3, 4, 4],
    { epsilon: { float: 1e-3 } },
    [drawn("s", 3), drawn("b", 3), drawn("m", 3), floats("v", [3], [0.5, 1, 2])],
  ],
  ["", "InstanceNormalization", [2, 3, 4, 4], {}, [drawn("s", 3), drawn("b", 3)]],
  ["from an inner axis", "LayerNormalization", [2, 3, 4], { axis: 1 }, [drawn("s", 3, 4), drawn("b", 3, 4)]],
  ["", "LRN", [1, 7, 3, 3], { size: 5, alpha: { float: 0.3 }, beta: { float: 0.6 }, bias: { float: 2 } }],
  ["", "LpNormalization", [2, 5], { axis: 1, p: 2 }],
  ["", "MeanVarianceNormalization", [2, 3, 4, 4]],
  [
    "all flags",
    "Gemm",
    [4, 3],
    { transA: 1, transB: 1, alpha: half, beta: { float: 2 } },
    [drawn("w", 5, 4), drawn("c", 5)],
  ],
  ["a vector on the right", "MatMul", [2, 3, 4], {}, [drawn("w", 4)]],
  ["batches", "MatMul", [2, 3, 4], {}, [drawn("w", 2, 4, 2)]],
  ["one slope a channel", "PRelu", [2, 3, 4, 4], {}, [drawn("a", 3, 1, 1)]],
  ["", "LeakyRelu", [3, 4], { alpha: half }],
  ["", "Elu", [3, 4], { alpha: half }],
  ["", "Selu", [3, 4]],
  ["", "Celu", [3, 4], { alpha: half }],
  ["", "HardSigmoid", [3, 4], { alpha: half }],
  ["", "HardSwish", [3, 4]],
  ["", "Mish", [3, 4], {}, [], 18],
  ["", "Softplus", [3, 4]],
  ["", "Softsign", [3, 4]],
  ["", "ThresholdedRelu", [3, 4], { alpha: half }],
  ["", "Shrink", [3, 4], { bias: half, lambd: { float: 0.7 } }],
  ["tanh form", "Gelu", [3, 4], { approximate: "tanh" }, [], 20],
  ["exact", "Gelu", [3, 4], {}, [], 20],
  ["an inner axis", "Softmax", [2, 3, 4], { axis: 1 }],
  ["axes in one, as before opset 13", "Softmax", [2, 3, 4], { axis: 1 }, [], 11],
  ["axes in one, as before opset 13", "LogSoftmax", [2, 3, 4], { axis: 1 }, [], 12],
  ["bounds as inputs", "Clip", [3, 4], {}, [floats("low", [], [-0.5]), floats("high", [], [0.7])]],
  ["bounds as attributes", "Clip", [3, 4], { min: { float: -0.5 }, max: half }, [], 7],
  ["squares", "Pow", [3, 4], {}, [floats("e", [], [2])]],
  ["", "Erf", [3, 4]],
  ["attribute", "ReduceMean", [2, 3, 4], { axes: [-1, 0], keepdims: 0 }, [], 13],
  ["", "ReduceL2", [2, 3, 4], { axes: [1] }],
  ["", "ReduceLogSumExp", [2, 3, 4], { axes: [1] }],
  ["", "ReduceMin", [2, 3, 4], { axes: [2], keepdims: 0 }],
  ["", "ReduceProd", [2, 3, 4], { axes: [1] }],
  ["", "ReduceSumSquare", [2, 3, 4], {}],
  ["axes as input", "ReduceSum", [2, 3, 4], {}, [int64s("axes", [1], [1])]],
  ["", "Transpose", [2, 3, 4], { perm: [2, 0, 1] }],
  ["", "Flatten", [2, 3, 4], { axis: 2 }],
  ["0 and −1", "Reshape", [2, 3, 4], {}, [int64s("shape", [3], [0, -1, 2])]],
  ["", "Squeeze", [2, 1, 4], {}, [int64s("axes", [1], [1])]],
  ["attribute", "Unsqueeze", [2, 4], { axes: [0, 3] }, [], 11],
  ["", "Expand", [2, 1, 4], {}, [int64s("shape", [3], [2, 3, 1])]],
  [
    "backwards, with steps",
    "Slice",
    [6, 8],
    {},
    [
      int64s("starts", [2], [-1, 1]),
      int64s("ends", [2], [-100, 1000]),
      int64s("axes", [2], [1, 0]),
      int64s("steps", [2], [-3, 2]),
    ],
  ],
  ["attributes", "Slice", [6, 8], { starts: [1], ends: [-2], axes: [1] }, [], 9],
  ["an inner axis, out of order", "Gather", [3, 5, 2], { axis: 1 }, [int64s("i", [2, 2], [4, 0, -2, 0])]],
  ["one index", "Gather", [3, 5, 2], { axis: 1 }, [int64s("i", [], [-1])]],
  ["", "Tile", [2, 3], {}, [int64s("repeats", [2], [2, 3])]],
  ["reflect", "Pad", [1, 2, 4, 5], { mode: "reflect" }, [int64s("pads", [8], [0, 0, 2, 1, 0, 0, 1, 3])]],
  ["edge", "Pad", [1, 2, 4, 5], { mode: "edge" }, [int64s("pads", [8], [0, 0, 2, 1, 0, 0, 1, 3])]],
  ["a value, and less than nothing", "Pad", [2, 5], {}, [int64s("pads", [4], [1, -2, 0, 1]), floats("v", [], [0.5])]],
  ["DCR", "DepthToSpace", [1, 8, 2, 3], { blocksize: 2 }],
  ["CRD", "DepthToSpace", [1, 8, 2, 3], { blocksize: 2, mode: "CRD" }],
  ["", "SpaceToDepth", [1, 2, 4, 6], { blocksize: 2 }],
  ["lower", "Trilu", [2, 4, 4], { upper: 0 }],
  [
    "nearest, by a whole factor",
    "Resize",
    [1, 2, 3, 4],
    { mode: "nearest" },
    [floats("roi", [0], []), floats("scales", [4], [1, 1, 2, 2])],
  ],
  [
    "nearest, by a fraction",
    "Resize",
    [1, 2, 5, 4],
    { mode: "nearest", nearest_mode: "ceil", coordinate_transformation_mode: "asymmetric" },
    [floats("roi", [0], []), floats("scales", [4], [1, 1, 0.6, 1.5])],
  ],
  [
    "linear, aligned corners",
    "Resize",
    [1, 2, 3, 4],
    { mode: "linear", coordinate_transformation_mode: "align_corners" },
    [floats("roi", [0], []), floats("none", [0], []), int64s("sizes", [4], [1, 2, 5, 7])],
  ],
  ["cubic", "Resize", [1, 2, 4, 4], { mode: "cubic" }, [floats("roi", [0], []), floats("scales", [4], [1, 1, 1.5, 2])]],
  ["", "Upsample", [1, 2, 3, 4], { mode: "nearest" }, [floats("scales", [4], [1, 1, 2, 3])], 9],
  ["one scale a channel", "GroupNormalization", [2, 6, 3, 3], { num_groups: 3 }, [drawn("s", 6), drawn("b", 6)], 21],
  ["from an inner axis", "RMSNormalization", [2, 3, 4], { axis: 1 }, [drawn("s", 3, 4)], 23],
  ["axes as input", "ReduceMean", [2, 3, 4], {}, [int64s("axes", [2], [0, -1])], 18],
  ["axes", "Pad", [2, 3, 5], {}, [int64s("pads", [2], [1, 2]), floats("v", [], [3]), int64s("axes", [1], [-1])], 18],
  ["around", "Pad", [2, 5], { mode: "wrap" }, [int64s("pads", [4], [0, 2, 1, 3])], 19],
  [
    "axes, in proportion",
    "Resize",
    [1, 2, 4, 6],
    { mode: "linear", axes: [2, 3], keep_aspect_ratio_policy: "not_larger" },
    [floats("roi", [0], []), floats("none", [0], []), int64s("sizes", [2], [6, 7])],
    18,
  ],
  ["", "Swish", [3, 4], { alpha: half }, [], 24],
  ["", "com.microsoft.Gelu", [3, 4]],
  ["", "com.microsoft.QuickGelu", [3, 4], { alpha: { float: 1.2 } }],
  [
    "with an activation",
    "com.microsoft.FusedConv",
    [1, 2, 5, 5],
    { activation: "LeakyRelu", activation_params: { floats: [0.3] }, kernel_shape: [2, 2] },
    [drawn("w", 3, 2, 2, 2), drawn("b", 3)],
  ],
  ["", "Abs", [3, 4]],
  ["", "GlobalLpPool", [2, 3, 4, 4], { p: 2 }],
];

describe("one node gives what the runtime gives", () => {
  for (const [what, op, shape, attributes = {}, weights = [], opset] of CASES)
    test(what === "" ? op : `${op}: ${what}`, () =>
      sameAsRuntime(
        onnxFile({
          ...(opset && { opset }),
          nodes: [[op, ["x", ...weights.map((w) => w.name)], ["y"], attributes]],
          weights,
          inputs: { x: shape },
          outputs: ["y"],
        }),
        { x: shape },
      ),
    );

  test("parts of a Split, put together again in another order", () =>
    sameAsRuntime(
      onnxFile({
        nodes: [
          ["Split", ["x", "sizes"], ["a", "b"], { axis: 1 }],
          ["Concat", ["b", "x", "a"], ["y"], { axis: 1 }],
        ],
        weights: [int64s("sizes", [2], [2, 3])],
        inputs: { x: [2, 5] },
        outputs: ["y"],
      }),
      { x: [2, 5] },
    ));

  test("equal parts of a Split, the last one shorter", () =>
    sameAsRuntime(
      onnxFile({
        opset: 18,
        nodes: [
          ["Split", ["x"], ["a", "b", "c"], { num_outputs: 3 }],
          ["Sub", ["b", "a"], ["d"]],
          ["Concat", ["d", "c"], ["y"], { axis: 0 }],
        ],
        inputs: { x: [5, 2] },
        outputs: ["y"],
      }),
      { x: [5, 2] },
    ));

  test("weights in blocks that have a scale each", () =>
    sameAsRuntime(
      onnxFile({
        opset: 21,
        nodes: [
          ["DequantizeLinear", ["q", "scale"], ["w"], { axis: 0, block_size: 2 }],
          ["MatMul", ["x", "w"], ["y"]],
        ],
        weights: [
          create(TensorProtoSchema, {
            name: "q",
            dataType: DataType.INT8,
            dims: [4n, 2n],
            rawData: Uint8Array.of(1, 2, 3, 4, 255, 6, 7, 248),
          }),
          floats("scale", [2, 2], [0.5, 2, 3, 0.25]),
        ],
        inputs: { x: [3, 4] },
        outputs: ["y"],
      }),
      { x: [3, 4] },
    ));

  test("comparisons and choices", () =>
    sameAsRuntime(
      onnxFile({
        nodes: [
          ["GreaterOrEqual", ["x", "z"], ["more"]],
          ["Less", ["x", "z"], ["less"]],
          ["Or", ["more", "less"], ["any"]],
          ["Not", ["more"], ["rest"]],
          ["Xor", ["any", "rest"], ["odd"]],
          ["Where", ["odd", "x", "z"], ["chosen"]],
          ["Max", ["chosen", "x", "z"], ["top"]],
          ["Min", ["top", "x"], ["y"]],
        ],
        inputs: { x: [3, 4], z: [4] },
        outputs: ["y"],
      }),
      { x: [3, 4], z: [4] },
    ));
});

test("every operator is run here or by the published tests", async () => {
  const page = await readFile(new URL("../../docs/conformance.md", import.meta.url), "utf8");
  const published = [...page.matchAll(/^\| `(\w+)` +\| +([1-9]\d*) \|/gm)].map(([, op]) => op!);
  const run = new Set([...CASES.map(([, op]) => op), ...published]);
  expect(published.length).toBeGreaterThan(80);
  expect(Object.keys(operators).filter((op) => !run.has(op))).toEqual([]);
});
