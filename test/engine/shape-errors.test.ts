import { describe, expect, test } from "vitest";
import { grad } from "../../src/engine/autodiff.ts";
import { ShapeError } from "../../src/engine/errors.ts";
import { input, parameter, type Value } from "../../src/engine/graph.ts";
import { conv2d, convTranspose2d } from "../../src/engine/ops/conv.ts";
import { add, div, greater, where } from "../../src/engine/ops/elementwise.ts";
import { linear, matmul } from "../../src/engine/ops/linear.ts";
import {
  broadcastTo,
  concat,
  gather,
  pad,
  reshape,
  scatterAdd,
  slice,
  transpose,
} from "../../src/engine/ops/movement.ts";
import { channelAffine } from "../../src/engine/ops/norm.ts";
import { avgPool2d, maxPool2d, upsampleNearest } from "../../src/engine/ops/pool.ts";
import { max, sum } from "../../src/engine/ops/reduce.ts";

const x = (...shape: number[]) => input("x", shape);
const w = (...shape: number[]) => parameter("layer1.0.conv1.weight", shape);

const cases: readonly (readonly [rule: string, make: () => Value, message: string])[] = [
  ["unequal axes", () => add(x(2, 3), x(2, 4)), "Add: shapes must broadcast, got [2, 3] and [2, 4]"],
  [
    "where a weight takes part, its path",
    () => div(x(2, 3), w(2)),
    "Div at layer1.0.conv1: shapes must broadcast, got [2, 3] and [2]",
  ],
  [
    "branches",
    () => where(greater(x(2), 0), x(3), x(4)),
    "Where: both branches must broadcast, got [2] and [3] and [4]",
  ],
  ["condition", () => where(greater(x(2), 0), x(3), x(3)), "Where: condition and branches must broadcast"],
  ["inner axes", () => matmul(x(2, 3), x(4, 2)), "MatMul: […, m, k] · […, k, n] is needed, got [2, 3] and [4, 2]"],
  ["leading axes", () => matmul(x(2, 1, 3), x(3, 3, 1)), "MatMul: leading axes must broadcast"],
  ["vectors", () => linear(x(3), parameter("fc.weight", [2, 3])), "MatMul"],
  [
    "channels",
    () => conv2d(x(1, 4, 8, 8), w(8, 3, 3, 3)),
    "Conv at layer1.0.conv1: channels must match in 1 groups, got [1, 4, 8, 8] and [8, 3, 3, 3]",
  ],
  ["groups", () => conv2d(x(1, 4, 8, 8), w(3, 2, 3, 3), { groups: 2 }), "channels must match in 2 groups"],
  ["rank", () => conv2d(x(4, 8, 8), w(8, 4, 3, 3)), "[N, C, H, W] and [K, C/groups, kh, kw] are needed"],
  [
    "kernel",
    () => conv2d(x(1, 3, 2, 9), w(8, 3, 5, 5), { padding: 1 }),
    "Conv at layer1.0.conv1: the kernel must fit the padded input (padding 1, 1), got [1, 3, 2, 9] and [8, 3, 5, 5]",
  ],
  [
    "channels of a transposed convolution",
    () => convTranspose2d(x(1, 4, 8, 8), w(3, 8, 3, 3)),
    "ConvInputGrad at layer1.0.conv1: channels must match the kernel, got [1, 4, 8, 8] and [3, 8, 3, 3]",
  ],
  [
    "output padding beyond the stride",
    () => convTranspose2d(x(1, 3, 4, 4), w(3, 8, 3, 3), { outputPadding: 1 }),
    "ConvInputGrad at layer1.0.conv1: an input of 1×8×7×7 must give this output, got [1, 3, 4, 4] and [3, 8, 3, 3]",
  ],
  [
    "pool",
    () => maxPool2d(x(1, 3, 2, 2), { kernel: 3 }),
    "MaxPool: kernel 3 must fit the padded input, got [1, 3, 2, 2]",
  ],
  [
    "pool padding",
    () => avgPool2d(x(1, 3, 8, 8), { kernel: 3, padding: 2 }),
    "AveragePool: padding 2 must be at most half of kernel 3, got [1, 3, 8, 8]",
  ],
  ["pool rank", () => maxPool2d(x(3, 8, 8), { kernel: 2 }), "MaxPool: [N, C, H, W] is needed, got [3, 8, 8]"],
  ["upsampling", () => upsampleNearest(x(8, 8), 2), "UpsampleNearest: [N, C, H, W] is needed, got [8, 8]"],
  [
    "channels of a norm",
    () => channelAffine(x(2, 3, 4), x(4), x(3)),
    "ChannelAffine: scale and shift need one number a channel",
  ],
  ["axes", () => sum(x(2, 3), [2]), "ReduceSum: axes 2 must exist, got [2, 3]"],
  ["axes from the back", () => max(x(2, 3), [-3]), "ReduceMax: axes -1 must exist, got [2, 3]"],
  ["elements", () => reshape(x(2, 3), [4, 2]), "Reshape: 4×2 must hold as many elements, got [2, 3]"],
  ["what is left", () => reshape(x(5), [2, -1]), "Reshape: 2×2.5 must hold as many elements, got [5]"],
  ["order", () => transpose(x(2, 3), [0, 1, 2]), "Transpose: one entry an axis, got [2, 3]"],
  ["axis", () => transpose(x(2, 3), [0, 2]), "Transpose: axis 2 must exist, got [2, 3]"],
  ["broadcast", () => broadcastTo(x(2, 3), [2, 6]), "Expand: must broadcast to 2×6, got [2, 3]"],
  ["padding", () => pad(x(2, 3), [1], [1]), "Pad: one entry an axis, got [2, 3]"],
  ["slice", () => slice(x(2, 3), [0, 1], [2, 4]), "Slice: 0,1 to 2,4 must lie within, got [2, 3]"],
  ["concat", () => concat([x(2, 3), x(3, 3)], 1), "Concat: all axes but 1 must agree, got [2, 3] and [3, 3]"],
  [
    "indices",
    () => gather(w(5, 3), x(2)),
    "Gather at layer1.0.conv1: indices must be whole numbers, got [5, 3] and [2]",
  ],
  [
    "rows for indices",
    () => scatterAdd(x(2, 3), input("i", [4], "int32"), 5),
    "ScatterAdd: there must be an index for each row",
  ],
];

test.each(cases)("a graph that breaks a rule on %s is not built", (_rule, make, message) => {
  expect(make).toThrow(ShapeError);
  expect(make).toThrow(message);
});

describe("gradients", () => {
  test("of several numbers need a seed", () => {
    const v = x(2, 3);
    expect(() => grad(add(v, v), [v])).toThrow("an output of shape [2, 3] needs a seed");
    expect(grad(add(v, v), [v], input("seed", [2, 3]))[0]!.shape).toEqual([2, 3]);
  });

  test("name the value that the output does not depend on", () => {
    const [a, b] = [x(), parameter("fc.bias", [])];
    expect(() => grad(add(a, 1), [a, b])).toThrow("the output does not depend on fc.bias");
  });
});
