import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { powerIteration, spectralNorm } from "../engine/ops/norm.ts";
import { sum } from "../engine/ops/reduce.ts";

import { random } from "../engine/random.ts";
import { setThreads } from "../engine/runtime.ts";
import { tensor } from "../engine/tensor.ts";
import { fixed, initialState, trainable } from "../models/bind.ts";
import { projection, spectralConv } from "./spectral-layers.ts";

// Test files share the cores.
setThreads(1);

const [rows, columns] = [3, 4];
const W = random(1).normals(rows * columns);
const w = (r: number, c: number) => W[r * columns + c]!;

/** σ₁ of the 3×4 matrix: the root of the largest root of det(WWᵀ − λI), a cubic with three real roots, in closed form. */
function largestSingularValue(): number {
  const a = Array.from({ length: 3 }, (_, i) =>
    Array.from({ length: 3 }, (_, j) =>
      Array.from({ length: columns }, (_, k) => w(i, k) * w(j, k)).reduce((s, x) => s + x),
    ),
  );
  const at = (i: number, j: number) => a[i]![j]!;
  const q = (at(0, 0) + at(1, 1) + at(2, 2)) / 3;
  const off = at(0, 1) ** 2 + at(0, 2) ** 2 + at(1, 2) ** 2;
  const p = Math.sqrt(((at(0, 0) - q) ** 2 + (at(1, 1) - q) ** 2 + (at(2, 2) - q) ** 2 + 2 * off) / 6);
  const b = (i: number, j: number) => (at(i, j) - (i === j ? q : 0)) / p;
  const det =
    b(0, 0) * (b(1, 1) * b(2, 2) - b(1, 2) * b(2, 1)) -
    b(0, 1) * (b(1, 0) * b(2, 2) - b(1, 2) * b(2, 0)) +
    b(0, 2) * (b(1, 0) * b(2, 1) - b(1, 1) * b(2, 0));
  return Math.sqrt(q + 2 * p * Math.cos(Math.acos(det / 2) / 3));
}

/** W over its spectral norm after so many steps of power iteration. */
async function normalized(weight: Float32Array, steps: number): Promise<number[]> {
  const value = input("w", [rows, columns]);
  let u = input("u", [rows, 1]);
  let v = powerIteration(value, u).v;
  for (let i = 0; i < steps; i++) ({ u, v } = powerIteration(value, u));
  return [...(await evaluate(spectralNorm(value, u, v), { w: weight, u: Float32Array.of(0.6, 0, 0.8) }))];
}

test("power iteration finds the largest singular value", async () => {
  const sigma = largestSingularValue();
  expectAllClose(
    await normalized(W, 60),
    [...W].map((x) => x / sigma),
    { relative: 1e-4 },
  );
});

test("weights near zero, and zeros, stay finite and within a norm of one", async () => {
  for (const scale of [1e-6, 1e-20, 0]) {
    const got = await normalized(
      W.map((x) => x * scale),
      3,
    );
    expect(got.every(Number.isFinite), `scale ${scale}`).toBe(true);
    expect(Math.hypot(...got)).toBeLessThanOrEqual(Math.sqrt(3) + 1e-3);
  }
});

describe("the slope of a weight over its spectral norm", () => {
  const value = input("w", [rows, columns]);
  const start = input("u", [rows, 1]);
  const toward = random(4).normals(rows * columns);
  /** The weight's slope of ⟨toward, W/σ⟩ with u and v after 60 steps of power iteration, and these. */
  const slopeAt = async (weight: Float32Array) => {
    let u: Value = start;
    let v = powerIteration(value, u).v;
    for (let i = 0; i < 60; i++) ({ u, v } = powerIteration(value, u));
    const [slope] = grad(sum(mul(spectralNorm(value, u, v), input("toward", [rows, columns]))), [value]);
    const feeds = { w: weight, u: Float32Array.of(0.6, 0, 0.8), toward };
    return { slope: [...(await evaluate(slope!, feeds))], u: await evaluate(u, feeds), v: await evaluate(v, feeds) };
  };

  test("is (g − ⟨g, W/σ⟩·u·vᵀ)/σ, and 1/s of it for a weight of s times the size, down to where float32 ends", async () => {
    const sigma = largestSingularValue();
    for (const scale of [1, 1e-4, 1e-9]) {
      const { slope, u, v } = await slopeAt(W.map((x) => x * scale));
      const along = toward.reduce((s, g, i) => s + (g * W[i]!) / sigma, 0);
      const wanted = toward.map(
        (g, i) => (g - along * u[Math.floor(i / columns)]! * v[i % columns]!) / (sigma * scale),
      );
      expectAllClose(slope, wanted, { relative: 2e-3, absolute: 1e-3 / scale }, `weights of ${scale}`);
    }
  });

  test("is finite for a weight of zeros, of numbers too small to square, and of one row of zeros", async () => {
    const oneRow = W.map((x, i) => (i < columns ? 0 : x));
    for (const weight of [new Float32Array(rows * columns), W.map((x) => x * 1e-30), oneRow]) {
      const { slope } = await slopeAt(weight);
      expect(slope.filter((x) => !Number.isFinite(x))).toEqual([]);
    }
  });
});

test("a convolution keeps its singular vector in training, one step a run, and leaves it alone otherwise", async () => {
  const layer = spectralConv("c", 2, rows, 1, 1);
  const x = input("x", [1, 2, 4, 4]);
  const training = trainable({ training: true });
  training.apply(layer, x);
  expect(Object.keys(training.updates)).toEqual(["c.weight_u"]);
  expect(training.trained().map((v) => v.leaf!.name)).toEqual(["c.weight", "c.bias"]);
  const judging = trainable({ training: false });
  judging.apply(layer, x);
  expect(judging.updates).toEqual({});
  const first = initialState(layer.weights, 3)["c.weight_u"]!;
  expect(Math.hypot(...first.data)).toBeCloseTo(1, 5);
});

test("the projection head adds what the class says to what the image says", async () => {
  const [channels, classes] = [4, 3];
  const layer = projection("l", "l_y", channels, classes);
  // A row and an identity have their singular vectors at hand: the norms are 5 and 1.
  const state = {
    "l.weight": tensor([0, 3, 4, 0], [1, 4]),
    "l.weight_u": tensor([1], [1, 1]),
    "l.bias": tensor([0.5], [1]),
    "l_y.weight": tensor([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], [3, 4]),
    "l_y.weight_u": tensor([1, 0, 0], [3, 1]),
  };
  const features = random(2).normals(2 * channels * 4);
  const wanted = Float32Array.of(0, 1, 0, 1, 0, 0);
  const got = await evaluate(
    fixed(state).apply(layer, input("x", [2, channels, 2, 2]), input("wanted", [2, classes])),
    { x: features, wanted },
  );
  const h = (i: number, k: number) =>
    features.subarray((i * channels + k) * 4, (i * channels + k + 1) * 4).reduce((s, x) => s + x);
  const byHand = [1, 0].map((label, i) => (3 * h(i, 1) + 4 * h(i, 2)) / 5 + 0.5 + h(i, label));
  expectAllClose(got, byHand, { relative: 1e-5 });
});
