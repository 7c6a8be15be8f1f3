import { describe, expect, test } from "vitest";
import { watchSessions } from "../../test/support/watch-sessions.ts";
import { grad } from "./autodiff.ts";
import { constant, input, parameter } from "./graph.ts";
import { toOnnx } from "./lowering.ts";
import { relu } from "./ops/activation.ts";
import { conv2d } from "./ops/conv.ts";
import { add, mul, square } from "./ops/elementwise.ts";
import { linear } from "./ops/linear.ts";
import { crossEntropy } from "./ops/loss.ts";
import { concat, flatten, oneHot } from "./ops/movement.ts";
import { groupNorm } from "./ops/norm.ts";
import { adaptiveAvgPool2d, maxPool2d, upsampleNearest } from "./ops/pool.ts";
import { sum } from "./ops/reduce.ts";
import { resize } from "./ops/resize.ts";
import { random } from "./random.ts";
import { compile, runOnnx } from "./runtime.ts";
import { sizeOf } from "./shape.ts";
import { createStore } from "./store.ts";
import { filled, tensor } from "./tensor.ts";

const drawn = (name: string, ...shape: number[]) => tensor(random(7, name).normals(sizeOf(shape)), shape);

describe("feeds", () => {
  test("a missing one and one of the wrong length are named", async () => {
    const program = await compile({ outputs: { y: add(input("a", [2]), input("b", [2, 2])) } });
    const a = Float32Array.of(1, 2);
    await expect(program.run({ a })).rejects.toThrow("input b was not fed");
    await expect(program.run({ a, b: a })).rejects.toThrow("input b of shape [2, 2] was fed 2 elements");
    await program.release();
  });

  test("whole numbers cannot be fed as reals", async () => {
    const program = await compile({ outputs: { y: oneHot(input("label", [1], "int32"), 2) } });
    await expect(program.run({ label: Float32Array.of(1) })).rejects.toThrow("Int32Array");
    expect([...(await program.run({ label: Int32Array.of(1) })).y!.data]).toEqual([0, 1]);
    await program.release();
  });

  test("names that look like the file's own constants and nodes stay apart from them", async () => {
    const names = ["i0", "f3", "Mul_1", "y", "float(3)x"];
    const values = names.map((name) => mul(input(name, [1]), 3));
    const program = await compile({ outputs: { y: sum(concat(values, 0), [0], true) } });
    const feeds = Object.fromEntries(names.map((name, i) => [name, Float32Array.of(10 ** i)]));
    expect((await program.run(feeds)).y!.data[0]).toBe(33333);
    await program.release();
  });
});

test("a file's session is let go of though its run fails", async () => {
  const model = toOnnx({ outputs: { y: square(input("x", [2])) } });
  const sessions = watchSessions();
  await expect(runOnnx(model, { other: filled([2], 3) })).rejects.toThrow();
  expect(sessions.stop()).toEqual({ made: 1, released: 1 });
});

describe("parameters", () => {
  test("need a store that holds them in their shape", async () => {
    const outputs = { y: square(parameter("w", [2, 3])) };
    await expect(compile({ outputs })).rejects.toThrow("parameter w needs a store");
    await expect(compile({ outputs, store: createStore() })).rejects.toThrow("no tensor named w in the store");
    const store = createStore({ w: filled([3, 2], 1) });
    await expect(compile({ outputs, store })).rejects.toThrow("w is [2, 3] in the graph, [3, 2] in the store");
  });

  test("are updated with values of their shape only", async () => {
    const store = createStore({ w: filled([2], 1) });
    const updates = { w: input("x", [3]) };
    await expect(compile({ outputs: {}, updates, store })).rejects.toThrow("w is [3] in the graph, [2] in the store");
  });
});

test("a value can be a result and go on into a linear layer whose weight is trained", async () => {
  const h = relu(input("x", [2, 3]));
  const y = linear(h, input("w", [2, 3]), input("b", [2]));
  const program = await compile({ outputs: { h, y, same: h } });
  const feeds = {
    x: Float32Array.of(1, -1, 2, 0, 1, -3),
    w: Float32Array.of(1, 0, 0, 0, 1, 1),
    b: Float32Array.of(5, 7),
  };
  const got = await program.run(feeds);
  expect([...got.h!.data]).toEqual([1, 0, 2, 0, 1, 0]);
  expect([...got.same!.data]).toEqual([...got.h!.data]);
  expect([...got.y!.data]).toEqual([6, 9, 5, 8]);
  await program.release();
});

describe("leaves of one name", () => {
  test("a constant and a parameter stay apart, as a network's fixed and its trained copy", async () => {
    const store = createStore({ w: filled([2], 3) });
    const fixed = constant(filled([2], 5), "w");
    const program = await compile({ outputs: { y: add(parameter("w", [2]), mul(fixed, 10)) }, store });
    expect([...(await program.run({})).y!.data]).toEqual([53, 53]);
    await program.release();
  });

  test("two that are not the same thing are an error", async () => {
    const store = createStore({ x: filled([2], 1) });
    await expect(compile({ outputs: { y: add(input("x", [2]), parameter("x", [2])) }, store })).rejects.toThrow(
      "two leaves are named x: input of float32 [2] and parameter of float32 [2]",
    );
    await expect(compile({ outputs: { y: add(input("x", [2]), input("x", [1])) } })).rejects.toThrow(
      "two leaves are named x: input of float32 [2] and input of float32 [1]",
    );
  });
});

test("an input can be a result, and one value can be several", async () => {
  const x = input("x", [2]);
  const program = await compile({ outputs: { x, twice: mul(x, 2), again: x } });
  const got = await program.run({ x: Float32Array.of(1, 2) });
  expect([got.x, got.twice, got.again].map((t) => [...t!.data])).toEqual([
    [1, 2],
    [2, 4],
    [1, 2],
  ]);
  await program.release();
});

test("the arrays of results are reused from run to run", async () => {
  const program = await compile({ outputs: { y: mul(input("x", [1]), 2) } });
  const first = (await program.run({ x: Float32Array.of(1) })).y!.data;
  const second = (await program.run({ x: Float32Array.of(2) })).y!.data;
  expect(second).toBe(first);
  expect(first[0]).toBe(4);
  await program.release();
});

const weights = {
  conv: constant(drawn("conv", 8, 3, 3, 3), "conv.weight"),
  norm: { weight: constant(drawn("scale", 8), "norm.weight"), bias: constant(drawn("shift", 8), "norm.bias") },
  fc: constant(drawn("fc", 5, 8 * 9), "fc.weight"),
};

/** One op of each kind that has to know, or not to know, how many images there are. */
function classifier(batch: number) {
  const x = input("x", [batch, 3, 6, 6]);
  const maps = groupNorm(conv2d(upsampleNearest(x, 2), weights.conv, { padding: 1 }), 2, weights.norm);
  const small = adaptiveAvgPool2d(resize(maxPool2d(relu(maps), { kernel: 2 }), 7, 7, "bilinear"), 3);
  return linear(flatten(small), weights.fc);
}

describe("a graph on file", () => {
  test("runs with another number of images when its leading axis is left open", async () => {
    const model = toOnnx({ outputs: { logits: classifier(1) }, anyBatch: true });
    const x = drawn("images", 5, 3, 6, 6);
    const got = await runOnnx(model, { x });
    const program = await compile({ outputs: { logits: classifier(5) } });
    const wanted = await program.run({ x: x.data });
    expect(got.logits!.shape).toEqual([5, 5]);
    for (const [i, w] of wanted.logits!.data.entries()) expect(got.logits!.data[i]).toBeCloseTo(w, 4);
    await program.release();
  });

  test("takes no other number of images otherwise", async () => {
    const model = toOnnx({ outputs: { logits: classifier(2) } });
    await expect(runOnnx(model, { x: drawn("images", 3, 3, 6, 6) })).rejects.toThrow("invalid dimensions");
  });

  test("is the same bytes each time it is written", () => {
    const write = () => Buffer.from(toOnnx({ outputs: { logits: classifier(2) }, metadata: { classes: "5" } }));
    expect(write().equals(write())).toBe(true);
  });
});

test("two runs of a training step give the same bits", async () => {
  const train = async () => {
    const [w, fc] = [parameter("w", [8, 3, 3, 3]), parameter("fc", [4, 8 * 64])];
    const x = input("x", [16, 3, 16, 16]);
    const maps = maxPool2d(relu(conv2d(x, w, { padding: 1 })), { kernel: 2 });
    const loss = crossEntropy(linear(flatten(maps), fc), oneHot(input("labels", [16], "int32"), 4));
    const [dw, dfc] = grad(loss, [w, fc]);
    const updates = { w: add(w, mul(dw!, -0.1)), fc: add(fc, mul(dfc!, -0.1)) };
    const store = createStore({ w: drawn("w", 8, 3, 3, 3), fc: drawn("classes", 4, 8 * 64) });
    const program = await compile({ outputs: { loss }, updates, store });
    const feeds = { x: drawn("x", 16, 3, 16, 16).data, labels: Int32Array.from({ length: 16 }, (_, i) => i % 4) };
    const losses = [];
    for (let step = 0; step < 5; step++) losses.push((await program.run(feeds)).loss!.data[0]);
    await program.release();
    return {
      losses,
      weights: Object.values(store.snapshot()).map(({ data }) => Buffer.from(data.buffer).toString("hex")),
    };
  };
  expect(await train()).toEqual(await train());
});
