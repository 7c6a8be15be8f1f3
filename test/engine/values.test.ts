import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { grad } from "../../src/engine/autodiff.ts";
import { constant, input, type Value } from "../../src/engine/graph.ts";
import { gelu, logSoftmax, prelu, sigmoid, silu, softplus } from "../../src/engine/ops/activation.ts";
import { clamp } from "../../src/engine/ops/clamp.ts";
import { conv2d, convTranspose2d } from "../../src/engine/ops/conv.ts";
import {
  equal,
  greater,
  maximum,
  minimum,
  positive,
  sign,
  stopGradient,
  toFloat,
} from "../../src/engine/ops/elementwise.ts";
import { attention, inverse, linear } from "../../src/engine/ops/linear.ts";
import { crossEntropy } from "../../src/engine/ops/loss.ts";
import { flip, gather, oneHot, scatterAdd } from "../../src/engine/ops/movement.ts";
import { batchNormEval, batchNormTrain, groupNorm, instanceNorm, layerNorm } from "../../src/engine/ops/norm.ts";
import { adaptiveAvgPool2d, avgPool2d, maxPool2d, type PoolOptions } from "../../src/engine/ops/pool.ts";
import { argMax, logSumExp, sum } from "../../src/engine/ops/reduce.ts";
import { resize } from "../../src/engine/ops/resize.ts";
import { random } from "../../src/engine/random.ts";
import { setThreads } from "../../src/engine/runtime.ts";
import { indexTensor, tensor } from "../../src/engine/tensor.ts";
import { expectAllClose } from "../support/all-close.ts";
import { evaluate } from "../support/evaluate.ts";
import { inverted, rowsOf, times, transposed } from "../support/matrix.ts";

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly op: string;
  readonly options: Readonly<Record<string, never>>;
  readonly inputs: Readonly<Record<string, Numbers>>;
  readonly output: Numbers;
}

type Inputs = Readonly<Record<"x" | "w" | "b" | "q" | "k" | "v" | "target" | "mean" | "variance" | "indices", Value>>;

/** How each op of the file is called; options bear this project's names there. */
const ops: Readonly<Record<string, (inputs: Inputs, options: Case["options"]) => Value>> = {
  conv2d: ({ x, w, b }, options) => conv2d(x, w, options, b),
  convTranspose2d: ({ x, w, b }, options) => convTranspose2d(x, w, options, b),
  maxPool2d: ({ x }, options) => maxPool2d(x, options as never),
  avgPool2d: ({ x }, options) => avgPool2d(x, options as never),
  adaptiveAvgPool2d: ({ x }, { size }) => adaptiveAvgPool2d(x, size!),
  resize: ({ x }, { height, width, mode }) => resize(x, height!, width!, mode!),
  gelu: ({ x }) => gelu(x),
  silu: ({ x }) => silu(x),
  softplus: ({ x }) => softplus(x),
  sigmoid: ({ x }) => sigmoid(x),
  logSoftmax: ({ x }) => logSoftmax(x),
  logSumExp: ({ x }) => logSumExp(x),
  prelu: ({ x, w }) => prelu(x, w),
  layerNorm: ({ x, w, b }) => layerNorm(x, { weight: w, bias: b }),
  groupNorm: ({ x, w, b }, { groups }) => groupNorm(x, groups!, { weight: w, bias: b }),
  instanceNorm: ({ x, w, b }) => instanceNorm(x, { weight: w, bias: b }),
  batchNormTrain: ({ x, w, b }) => batchNormTrain(x, { weight: w, bias: b }).y,
  batchNormEval: ({ x, w, b, mean, variance }) => batchNormEval(x, { weight: w, bias: b }, mean, variance),
  crossEntropy: ({ x, target }) => crossEntropy(x, target),
  linear: ({ x, w, b }) => linear(x, w, b),
  attention: ({ q, k, v }) => attention(q, k, v),
  embedding: ({ x, indices }) => gather(x, indices),
};

const golden = JSON.parse(await readFile(new URL("../golden/ops.json", import.meta.url), "utf8")) as {
  cases: readonly Case[];
};

describe("values agree with PyTorch", () => {
  const named = golden.cases.map((c) => [c.op, JSON.stringify(c.options), c.inputs, c] as const);

  test.each(named)("%s %s", async (op, _options, given, { options, output }) => {
    const entries = Object.entries(given).map(([name, { shape, data }]) => ({ name, shape, data }));
    const typeOf = (name: string) => (name === "indices" ? "int32" : "float32");
    const inputs = Object.fromEntries(entries.map(({ name, shape }) => [name, input(name, shape, typeOf(name))]));
    const feeds = Object.fromEntries(
      entries.map(({ name, data }) => [name, name === "indices" ? Int32Array.from(data) : Float32Array.from(data)]),
    );
    const y = ops[op]!(inputs as Inputs, options);
    expect(y.shape).toEqual(output.shape);
    expectAllClose(await evaluate(y, feeds), output.data, { relative: 1e-5, absolute: 2e-6 }, op);
  });

  test("and each op of the file has been compared", () => {
    expect([...new Set(golden.cases.map((c) => c.op))].sort()).toEqual(Object.keys(ops).sort());
  });
});

describe("inverse", () => {
  /** Q·diag(λ)·Qᵀ with λ falling geometrically from 1 to 1/condition, Q by Gram–Schmidt. */
  function conditioned(n: number, condition: number): number[] {
    const basis: number[][] = [];
    for (const row of rowsOf(random(1, "inverse", n).normals(n * n), n)) {
      const left = basis.reduce((v, q) => {
        const along = v.reduce((sum, x, i) => sum + x * q[i]!, 0);
        return v.map((x, i) => x - along * q[i]!);
      }, row);
      const length = Math.hypot(...left);
      basis.push(left.map((x) => x / length));
    }
    const scaled = basis.map((q, i) => q.map((x) => x * condition ** (-i / Math.max(n - 1, 1))));
    return times(transposed(basis), scaled).flat();
  }

  test.each([
    [1, 1],
    [5, 10],
    [64, 1e3],
    [24, 1e5],
  ])("of %d rows agrees with elimination at condition %d", async (n, condition) => {
    const a = tensor(conditioned(n, condition), [n, n]);
    const wanted = inverted(rowsOf(a.data, n)).flat();
    const scale = Math.max(...wanted.map(Math.abs));
    expectAllClose(await evaluate(inverse(constant(a))), wanted, { relative: 0, absolute: 2e-6 * scale });
  });

  test("takes several matrices at once", async () => {
    const a = tensor([2, 1, 1, 3, 4, 0, 0, 8], [2, 2, 2]);
    expectAllClose(await evaluate(inverse(constant(a))), [0.6, -0.2, -0.2, 0.4, 0.25, 0, 0, 0.125]);
  });

  test("refuses matrices that are not square", () => {
    expect(() => inverse(input("x", [2, 3]))).toThrow(/square matrices/);
  });
});

describe("the larger, the smaller, the held", () => {
  const [a, b] = [input("a", [4]), input("b", [4])];
  const [x, y] = [Float32Array.of(Number.NaN, 2, -0, Number.NaN), Float32Array.of(1, Number.NaN, 0, Number.NaN)];

  test.each<[string, (p: Value, q: Value) => Value]>([
    ["maximum", maximum],
    ["minimum", minimum],
  ])("%s of NaN is NaN, on either side", async (_name, f) => {
    expect([...(await evaluate(f(a, b), { a: x, b: y }))]).toEqual([Number.NaN, Number.NaN, 0, Number.NaN]);
    expect([...(await evaluate(f(a, constant(tensor(y, [4]))), { a: x }))].slice(0, 1)).toEqual([Number.NaN]);
    expect([...(await evaluate(f(constant(tensor(x, [4])), b), { b: y }))].slice(1, 2)).toEqual([Number.NaN]);
  });

  test("clamp hands NaN on, in the runtime's own layout too", async () => {
    const held = [Number.NaN, 1, -1, 0.5];
    const given = Float32Array.of(Number.NaN, 7, -7, 0.5);
    expect([...(await evaluate(clamp(a, -1, 1), { a: given }))]).toEqual(held);
    const image = input("image", [1, 16, 2, 2]);
    const eye = Float32Array.from({ length: 256 }, (_, i) => (i % 17 === 0 ? 1 : 0));
    const kernel = constant(tensor(eye, [16, 16, 1, 1]));
    const y = clamp(conv2d(image, kernel), -1, 1);
    const planes = await evaluate(y, { image: new Float32Array(64).fill(Number.NaN) });
    expect(planes.every(Number.isNaN)).toBe(true);
  });

  test("a tie sends the gradient to the second alone, and to nobody at a bound", async () => {
    const tied = { a: Float32Array.of(1, 2, 3, 4), b: Float32Array.of(1, 5, 3, 0) };
    for (const [f, first] of [
      [maximum, [0, 0, 0, 1]],
      [minimum, [0, 1, 0, 0]],
    ] as const) {
      const [ga, gb] = grad(sum(f(a, b)), [a, b]);
      expect([...(await evaluate(ga!, tied))]).toEqual(first);
      expect([...(await evaluate(gb!, tied))]).toEqual(first.map((n) => 1 - n));
    }
    const [g] = grad(sum(clamp(a, 1, 3)), [a]);
    expect([...(await evaluate(g!, { a: Float32Array.of(1, 2, 3, 4) }))]).toEqual([0, 1, 0, 0]);
  });
});

describe("ops without a gradient", () => {
  const x = input("x", [5]);
  const feeds = { x: Float32Array.of(-2, -1e-30, 0, 1e-30, 3) };

  test.each([
    ["sign", sign(x), [-1, -1, 0, 1, 1]],
    ["positive", positive(x), [0, 0, 0, 1, 1]],
    ["greater", toFloat(greater(x, 0)), [0, 0, 0, 1, 1]],
    ["equal", toFloat(equal(x, 0)), [0, 0, 1, 0, 0]],
    ["stopGradient", stopGradient(x), [...feeds.x]],
    ["argMax", toFloat(argMax(x)), [4]],
    ["flip", flip(x, [0]), [...feeds.x].reverse()],
  ])("%s", async (_name, y, wanted) => {
    expect([...(await evaluate(y, feeds))]).toEqual(wanted);
  });

  test("argMax gives the first of several largest elements", async () => {
    const rows = constant(tensor([1, 3, 3, 2, 2, 2], [2, 3]));
    expect([...(await evaluate(argMax(rows)))]).toEqual([1, 0]);
  });

  test("of several largest elements of a window the first has the gradient where windows overlap, and all share it where they tile", async () => {
    const ones = input("x", [1, 1, 4, 4]);
    const gradient = async (options: PoolOptions) => [
      ...(await evaluate(grad(sum(maxPool2d(ones, options)), [ones])[0]!, { x: new Float32Array(16).fill(1) })),
    ];
    expect(await gradient({ kernel: 3, stride: 1 })).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(await gradient({ kernel: 2 })).toEqual(new Array(16).fill(0.25));
  });

  test("oneHot", async () => {
    const labels = constant(indexTensor([2, 0], [2]));
    expect([...(await evaluate(oneHot(labels, 3)))]).toEqual([0, 0, 1, 1, 0, 0]);
  });

  test("scatterAdd adds up all rows of an index, however many threads work", async () => {
    const [count, width] = [60_000, 128];
    const rows = constant(tensor(new Float32Array(count * width).fill(1), [count, width]));
    const indices = constant(
      indexTensor(
        Int32Array.from({ length: count }, (_, i) => i % 2),
        [count],
      ),
    );
    setThreads(2);
    const sums = await evaluate(scatterAdd(rows, indices, 3)).finally(() => setThreads(1));
    expect([...new Set(sums.slice(0, 2 * width))]).toEqual([count / 2]);
    expect([...new Set(sums.slice(2 * width))]).toEqual([0]);
  });
});
