import { describe, expect, test } from "vitest";
import { checkGrads } from "../../test/support/check-grads.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { identity, inverted, type Matrix, plus, rowsOf, times, trace, transposed } from "../../test/support/matrix.ts";
import { constant, type Value } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { setThreads } from "../engine/runtime.ts";
import { tensor } from "../engine/tensor.ts";
import { coco, hsic, kernels } from "./dependence.ts";

setThreads(1);

const [M, P, Q] = [10, 6, 4];
const EPSILON = 1e-5;
const drawn = (name: string, width: number) => random(1, name).normals(M * width);
const held = (data: Float32Array, width: number): Value => constant(tensor(data, [M, width]));

/** Kernels of the published code, pair by pair in double precision. */
const pairwise = {
  gaussian: (a: readonly number[], b: readonly number[], sigma: number) =>
    Math.exp(-distance(a, b) / (2 * sigma * sigma * a.length)),
  linear: (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0),
  imq: (a: readonly number[], b: readonly number[]) => 1 / Math.sqrt(distance(a, b) + 1),
} as const;
const distance = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
const matrix = (kind: keyof typeof pairwise, data: Float32Array, width: number, sigma: number): Matrix => {
  const rows = rowsOf(data, width);
  return rows.map((a) => rows.map((b) => pairwise[kind](a, b, sigma)));
};
const H = plus(
  identity(M),
  identity(M).map((row) => row.map(() => 1)),
  -1 / M,
);

const [x, y] = [drawn("x", P), drawn("y", Q)];

describe.each(["gaussian", "linear", "imq"] as const)("with the %s kernel", (kind) => {
  const sigma = 0.7;
  const [k, l] = [matrix(kind, x, P, sigma), matrix(kind, y, Q, sigma)];
  const [gk, gl] = [kernels[kind](held(x, P), sigma), kernels[kind](held(y, Q), sigma)];

  test("the kernel matrix is that of all pairs", async () => {
    const found = await evaluate(gk);
    for (const [i, value] of k.flat().entries()) expect(found[i]!).toBeCloseTo(value, 5);
  });

  test("HSIC is tr(KH(KH + εmI)⁻¹·LH(LH + εmI)⁻¹), the published form", async () => {
    const r = (a: Matrix) => {
      const ah = times(a, H);
      return times(ah, inverted(plus(ah, identity(M), EPSILON * M)));
    };
    const wanted = trace(times(r(k), r(l)));
    const [found] = await evaluate(hsic(gk, gl, EPSILON));
    expect(wanted).toBeGreaterThan(0.5);
    expect(found! / wanted).toBeCloseTo(1, 2);
  });

  test("COCO is √‖HKH·HLH‖ / m", async () => {
    const product = times(times(times(H, k), H), times(times(H, l), H));
    const wanted = Math.sqrt(Math.sqrt(trace(times(product, transposed(product))))) / M;
    const [found] = await evaluate(coco(gk, gl));
    expect(found! / wanted).toBeCloseTo(1, 4);
  });
});

test("image-shaped samples are flattened", async () => {
  const [flat, shaped] = [held(x, P), constant(tensor(x, [M, 1, 2, 3]))];
  for (const kernel of Object.values(kernels))
    expect(await evaluate(kernel(shaped, 5))).toEqual(await evaluate(kernel(flat, 5)));
});

test("samples depend on nothing less than on noise, and on noise less than on themselves", async () => {
  const still = held(new Float32Array(M * Q).fill(3), Q);
  const [k, l, none] = [held(x, P), held(y, Q), still].map((v) => kernels.gaussian(v, 5)) as [Value, Value, Value];
  for (const measure of [(a: Value, b: Value) => hsic(a, b, 1e-2), coco]) {
    const [[own], [other], [constantly]] = [
      await evaluate(measure(k, k)),
      await evaluate(measure(k, l)),
      await evaluate(measure(k, none)),
    ];
    expect(own!).toBeGreaterThan(other!);
    expect(other!).toBeGreaterThan(2 * constantly!);
  }
  const [bare] = await evaluate(hsic(k, none, 1e-2));
  expect(Math.abs(bare!)).toBeLessThan(1e-4);
});

const labels = constant(tensor([1, 0, 0, 1, 1, 0, 0, 1, 0, 1], [5, 2]));
test.each([
  ["HSIC, gaussian", (a: Value) => hsic(kernels.gaussian(a, 1), kernels.linear(labels), 0.02)],
  ["HSIC, imq", (a: Value) => hsic(kernels.imq(a), kernels.linear(labels), 0.02)],
  ["HSIC, linear", (a: Value) => hsic(kernels.linear(a), kernels.linear(labels), 0.2)],
  ["COCO, gaussian", (a: Value) => coco(kernels.gaussian(a, 1), kernels.linear(labels))],
] as const)("the gradient of %s is that of finite differences", async (_name, measure) => {
  await checkGrads(measure, [[5, 3]], { order: 1, tolerance: 1e-2 });
});
