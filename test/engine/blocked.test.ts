import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { grad } from "../../src/engine/autodiff.ts";
import { constant, input, topologicalOrder, type Value } from "../../src/engine/graph.ts";
import { toOnnx } from "../../src/engine/lowering.ts";
import { relu, sigmoid } from "../../src/engine/ops/activation.ts";
import { conv2d, convTranspose2d } from "../../src/engine/ops/conv.ts";
import { add, greater, mul, square, stopGradient, sub, toFloat, where } from "../../src/engine/ops/elementwise.ts";
import { reshape } from "../../src/engine/ops/movement.ts";
import { batchNormEval, batchNormTrain } from "../../src/engine/ops/norm.ts";
import { avgPool2d, globalAvgPool, maxPool2d, upsampleNearest } from "../../src/engine/ops/pool.ts";
import { mean, sum } from "../../src/engine/ops/reduce.ts";
import { random } from "../../src/engine/random.ts";
import { blockSize, runOnnx } from "../../src/engine/runtime.ts";
import { type Shape, sizeOf } from "../../src/engine/shape.ts";
import { type Tensor, tensor } from "../../src/engine/tensor.ts";

// The runtime's own layout and standard operators compute the same, gradients included; which of both runs depends on the processor.

const block = await blockSize();
const SIDE = 16;
const uniforms = (name: string, shape: Shape) =>
  tensor(
    random(3, name)
      .uniforms(sizeOf(shape))
      .map((u) => 2 * u - 1),
    shape,
  );
const fed = (name: string, ...shape: number[]) => input(name, shape);
const fixed = (name: string, ...shape: number[]) => constant(uniforms(name, shape), name);
const channels = 2 * Math.max(block, 8);
const images = () => fed("images", 3, 3, SIDE, SIDE);
const maps = () => fed("maps", 3, channels, SIDE, SIDE);
const norm = (c: number) => ({ weight: fed("scale", c), bias: fed("shift", c) });
const kernel = (size: number, to = channels, from = channels) => fed(`kernel${size}`, to, from, size, size);
const block3 = (x: Value) => conv2d(x, kernel(3), { padding: 1 });

const cases: Readonly<Record<string, () => Value>> = {
  "a kernel that is fed": () => block3(maps()),
  "a fixed kernel": () => conv2d(maps(), fixed("w", channels, channels, 3, 3), { padding: 1 }),
  "images of three channels": () => conv2d(images(), kernel(3, channels, 3), { padding: 1 }),
  "images of one channel, stride 2": () =>
    conv2d(fed("grey", 3, 1, SIDE, SIDE), kernel(3, channels, 1), { padding: 1, stride: 2 }),
  "stride 2": () => conv2d(maps(), kernel(3), { padding: 1, stride: 2 }),
  "stride 2, fixed kernel of four": () =>
    conv2d(maps(), fixed("w", channels, channels, 4, 4), { padding: 1, stride: 2 }),
  "one place, stride 2": () => conv2d(maps(), kernel(1), { stride: 2 }),
  "large map, stride 2, kernel of five": () =>
    conv2d(fed("large", 2, channels, 33, 33), kernel(5), { padding: 2, stride: 2 }),
  "large map, kernel of three": () => conv2d(fed("large", 2, channels, 32, 32), kernel(3), { padding: 1 }),
  "rows that nearly fill blocks": () => conv2d(fed("wide", 2, channels, 28, 28), kernel(3), { padding: 1 }),
  "rows of blocks, stride 2, kernel of four": () =>
    conv2d(fed("wide", 2, channels, 32, 32), kernel(4), { padding: 1, stride: 2 }),
  "rows of blocks, no padding": () => conv2d(fed("wide", 2, channels, 18, 34), kernel(3)),
  "rows of blocks, dilation, stride 2": () =>
    conv2d(fed("wide", 2, channels, 35, 35), kernel(3), { dilation: 2, stride: 2 }),
  "images, kernel of five, stride 2": () => conv2d(images(), kernel(5, channels, 3), { padding: 2, stride: 2 }),
  "images, fixed kernel of four, stride 2": () =>
    conv2d(images(), fixed("w", channels, 3, 4, 4), { padding: 1, stride: 2 }),
  "images of one channel": () => conv2d(fed("grey", 3, 1, SIDE, SIDE), kernel(3, channels, 1), { padding: 1 }),
  "images that no squares tile": () => conv2d(fed("odd", 3, 3, 15, 15), kernel(3, channels, 3), { padding: 1 }),
  dilation: () => conv2d(maps(), kernel(3), { padding: 2, dilation: 2 }),
  "depthwise, a kernel that is fed": () =>
    conv2d(block3(maps()), fed("planes", channels, 1, 3, 3), { padding: 1, groups: channels }),
  "depthwise, a fixed kernel": () => conv2d(maps(), fixed("w", channels, 1, 5, 5), { padding: 2, groups: channels }),
  "depthwise, a fixed kernel without symmetry, no padding, an oblong map": () =>
    conv2d(fed("oblong", 2, channels, 9, 14), fixed("w", channels, 1, 3, 2), { groups: channels }),
  "depthwise, stride 2": () =>
    conv2d(block3(maps()), fed("planes", channels, 1, 3, 3), { padding: 1, stride: 2, groups: channels }),
  "depthwise, stride 2, a fixed kernel of five": () =>
    conv2d(block3(maps()), fixed("w", channels, 1, 5, 5), { padding: 2, stride: 2, groups: channels }),
  "depthwise, stride 2, an odd map": () =>
    conv2d(fed("odd", 2, channels, 15, 15), fed("planes", channels, 1, 3, 3), {
      padding: 1,
      stride: 2,
      groups: channels,
    }),
  "depthwise, dilation": () =>
    conv2d(block3(maps()), fed("planes", channels, 1, 3, 3), { padding: 2, dilation: 2, groups: channels }),
  "depthwise, stride 3, a kernel of two that leaves rows out": () =>
    conv2d(block3(maps()), fed("planes", channels, 1, 2, 2), { stride: 3, groups: channels }),
  "depthwise, two channels of each": () =>
    conv2d(block3(maps()), fed("planes", 2 * channels, 1, 3, 3), { padding: 1, groups: channels }),
  "groups stay plain": () => conv2d(block3(maps()), fed("grouped", channels, channels / 2, 3, 3), { groups: 2 }),
  "channels that fill no block": () => conv2d(relu(block3(maps())), fed("odd", 5, channels, 3, 3)),
  "a transposed convolution": () => relu(convTranspose2d(maps(), kernel(4), { stride: 2, padding: 1 })),
  "bias, activation, sum": () => {
    const x = maps();
    return relu(add(conv2d(x, kernel(3), { padding: 1 }, fed("bias", channels)), conv2d(x, kernel(1))));
  },
  "a result that is read twice": () => {
    const y = block3(maps());
    return add(relu(y), mul(y, sigmoid(y)));
  },
  "batch norm by the batch": () => relu(batchNormTrain(block3(maps()), norm(channels)).y),
  "batch norm by running statistics": () =>
    relu(batchNormEval(block3(maps()), norm(channels), fed("mean", channels), square(fed("variance", channels)))),
  "one number a channel on either side": () => {
    const c = reshape(fed("per", channels), [1, channels, 1, 1]);
    const y = block3(maps());
    return mul(c, sub(add(c, y), c));
  },
  "one number a channel less a map": () => sub(reshape(fed("per", channels), [channels, 1, 1]), block3(maps())),
  "pools and upsampling": () => upsampleNearest(avgPool2d(maxPool2d(block3(maps()), { kernel: 2 }), { kernel: 2 }), 4),
  "overlapping pools": () => maxPool2d(relu(block3(maps())), { kernel: 3, stride: 2, padding: 1 }),
  "means and sums of planes": () => {
    const y = block3(maps());
    return add(globalAvgPool(y), add(mul(sum(y, [0, 2, 3]), 0.01), sum(mean(square(y), [2, 3], true), [2, 3])));
  },
  "truth values": () => {
    const y = block3(maps());
    const above = greater(y, 0);
    return add(where(above, y, mul(y, y)), mul(toFloat(greater(stopGradient(y), 0.5)), y));
  },
};

/** The result and its gradients at everything that is fed. */
function withGradients(y: Value): Record<string, Value> {
  const leaves = topologicalOrder([y]).filter((v) => v.leaf?.kind === "input");
  const gradients = grad(sum(mul(y, square(y))), leaves);
  return { y, ...Object.fromEntries(leaves.map((v, i) => [`d ${v.leaf!.name}`, gradients[i]!])) };
}

async function run(outputs: Readonly<Record<string, Value>>, size: number): Promise<Record<string, Tensor>> {
  const leaves = topologicalOrder(Object.values(outputs)).filter((v) => v.leaf?.kind === "input");
  const feeds = Object.fromEntries(leaves.map(({ leaf, shape }) => [leaf!.name, uniforms(leaf!.name, shape)]));
  return runOnnx(toOnnx({ outputs, block: size }), feeds);
}

describe.skipIf(block === 0)("this processor has blocks", () => {
  test.each(Object.entries(cases))("%s", async (_, make) => {
    const outputs = withGradients(make());
    const [standard, blocked] = [await run(outputs, 0), await run(outputs, block)];
    for (const name of Object.keys(outputs)) {
      const [want, got] = [standard[name]!.data, blocked[name]!.data];
      let [difference, size] = [0, 0];
      for (const [i, w] of want.entries()) {
        difference += (got[i]! - w) ** 2;
        size += w ** 2;
      }
      expect(got.length).toBe(want.length);
      expect(size, `${name} is not all zero`).toBeGreaterThan(0);
      expect(Math.sqrt(difference / size), name).toBeLessThan(2e-6);
    }
  });
});

/** Types of the nodes that a graph is written with in blocks of 16. */
function nodesOf(y: Value): string[] {
  return fromBinary(ModelProtoSchema, toOnnx({ outputs: { y }, block: 16 })).graph!.node.map(({ opType }) => opType);
}

test("bias, sum and activation become part of the convolution, and blocks stay blocks between layers", () => {
  const w = (name: string) => constant(uniforms(name, [32, 32, 3, 3]), name);
  const x = fed("x", 2, 32, 8, 8);
  const bias = constant(uniforms("b", [32]), "b");
  const first = relu(conv2d(x, w("w1"), { padding: 1 }, bias));
  const nodes = nodesOf(relu(add(conv2d(first, w("w2"), { padding: 1 }), first)));
  expect(nodes.filter((op) => op !== "Reshape")).toEqual(["ReorderInput", "Conv", "Conv", "ReorderOutput"]);
});

test("an exported graph has standard operators alone", () => {
  const y = conv2d(fed("x", 2, 32, 8, 8), fixed("w", 32, 32, 3, 3));
  const model = fromBinary(ModelProtoSchema, toOnnx({ outputs: { y } }));
  expect(model.opsetImport.map(({ domain }) => domain)).toEqual([""]);
  expect(model.graph!.node.every(({ domain }) => domain === "")).toBe(true);
});
