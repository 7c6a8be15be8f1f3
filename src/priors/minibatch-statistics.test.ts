import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { mul, square } from "../engine/ops/elementwise.ts";
import { sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import { setThreads } from "../engine/runtime.ts";
import type { Shape } from "../engine/shape.ts";
import { tensor } from "../engine/tensor.ts";
import { fixed } from "../models/bind.ts";
import { minibatchDiscrimination } from "./minibatch-discrimination.ts";
import { minibatchDeviation } from "./style-networks.ts";

// Test files share the cores.
setThreads(1);

/** Value, slope, and the slope of the slope's square (what a gradient penalty takes) of ⟨weights, f(x)⟩. */
async function around(f: (x: Value) => Value, shape: Shape, x: Float32Array) {
  const leaf = input("x", shape);
  const y = f(leaf);
  const weights = Float32Array.from({ length: y.shape.reduce((a, b) => a * b, 1) }, (_, i) => 1 + 0.5 * Math.sin(i));
  const [slope] = grad(sum(mul(y, input("weights", y.shape))), [leaf]);
  const [penalty] = grad(sum(square(slope!)), [leaf]);
  const feeds = { x, weights };
  const numbers = async (v: Value) => Float32Array.from(await evaluate(v, feeds));
  return { weights, value: await numbers(y), slope: await numbers(slope!), penalty: await numbers(penalty!) };
}

const lost = (numbers: Float32Array) => [...numbers].filter((x) => !Number.isFinite(x));

describe("minibatch discrimination", () => {
  const [d, kernels, length] = [4, 3, 2];
  const t = random(1, "t").normals(d * kernels * length);
  const layer = minibatchDiscrimination("mbd", d, kernels, length);
  const net = fixed({ "mbd.T": tensor(t, [d, kernels * length]) });
  const at = (rows: readonly (readonly number[])[]) =>
    around((f) => net.apply(layer, f), [rows.length, d], Float32Array.from(rows.flat()));

  /** The slope by the features in double precision: each kernel's e^(−distance) falls by the sign of each difference. */
  const slopeByHand = (rows: readonly (readonly number[])[], weights: Float32Array) => {
    const n = rows.length;
    const m = rows.map((row) =>
      Array.from({ length: kernels * length }, (_, c) =>
        row.reduce((s, x, j) => s + x * t[j * kernels * length + c]!, 0),
      ),
    );
    const out = rows.map((_, i) => Array.from({ length: d }, (_, j) => weights[i * (d + kernels) + j]!));
    for (let i = 0; i < n; i++)
      for (let k = 0; k < n; k++)
        for (let b = 0; b < kernels && k !== i; b++) {
          const own = Array.from({ length }, (_, c) => m[i]![b * length + c]! - m[k]![b * length + c]!);
          const close = Math.exp(-own.reduce((s, x) => s + Math.abs(x), 0)) * weights[i * (d + kernels) + d + b]!;
          for (const [c, x] of own.entries())
            for (let j = 0; j < d; j++) {
              const by = -close * Math.sign(x) * t[j * kernels * length + b * length + c]!;
              out[i]![j]! += by;
              out[k]![j]! -= by;
            }
        }
    return out.flat();
  };

  test("says nothing of a single image, whose slope is that of its own numbers", async () => {
    const found = await at([[0.3, -0.2, 0.5, 1]]);
    expectAllClose(found.value, [0.3, -0.2, 0.5, 1, 0, 0, 0]);
    expectAllClose(found.slope, found.weights.subarray(0, d));
    expect(lost(found.penalty)).toEqual([]);
  });

  test("of equal images is how many others there are, at a peak without slope", async () => {
    const rows = Array.from({ length: 5 }, () => [0.3, -0.2, 0.5, 1]);
    const found = await at(rows);
    expectAllClose(
      found.value,
      rows.flatMap((row) => [...row, 4, 4, 4]),
    );
    expectAllClose(found.slope, slopeByHand(rows, found.weights));
    expect(lost(found.penalty)).toEqual([]);
  });

  test("has the slope of its formula for images that hardly differ, and for ones that are far apart", async () => {
    for (const scale of [1e-3, 1, 1e3]) {
      const rows = Array.from({ length: 3 }, (_, i) => [...random(2, i).normals(d)].map((x) => 0.5 + scale * x));
      const found = await at(rows);
      const wanted = slopeByHand(
        rows.map((row) => row.map(Math.fround)),
        found.weights,
      );
      expectAllClose(found.slope, wanted, { relative: 1e-3, absolute: 1e-4 }, `differences of ${scale}`);
      expect(lost(found.penalty)).toEqual([]);
    }
  });
});

describe("minibatch deviation", () => {
  const image = [2, 2, 2] as const;
  const length = 8;
  const at = (x: Float32Array) => around(minibatchDeviation, [x.length / length, ...image], x);
  const one = random(3, "image").normals(length);

  test("of a single image, and of equal ones, is the root of ε, without slope", async () => {
    for (const count of [1, 4, 6]) {
      const found = await at(Float32Array.from({ length: count * length }, (_, i) => one[i % length]!));
      const added = Array.from({ length: count }, (_, i) => [...found.value.subarray(i * 12 + 8, i * 12 + 12)]).flat();
      // The mean of equal numbers may be off by a rounding.
      expectAllClose(
        added,
        added.map(() => 1e-4),
        { relative: 1e-3 },
      );
      const own = Array.from({ length: count }, (_, i) => [...found.weights.subarray(i * 12, i * 12 + 8)]).flat();
      expectAllClose(found.slope, own, { absolute: 5e-3 });
      expect(lost(found.penalty)).toEqual([]);
    }
  });

  test("has the slope of its formula for images that hardly differ", async () => {
    for (const scale of [1e-3, 1e-2, 1]) {
      const x = random(4)
        .normals(4 * length)
        .map((e, i) => one[i % length]! + scale * e);
      const found = await at(x);
      // √(variance + ε) of each number over the group, of which the channel is the mean.
      const total = [0, 1, 2, 3].reduce(
        (s, i) => s + found.weights.subarray(i * 12 + 8, i * 12 + 12).reduce((a, b) => a + b),
        0,
      );
      const wanted = Array.from(x, (value, i) => {
        const [row, j] = [Math.floor(i / length), i % length];
        const group = [0, 1, 2, 3].map((k) => x[k * length + j]!);
        const mean = group.reduce((a, b) => a + b) / 4;
        const deviation = Math.sqrt(group.reduce((s, y) => s + (y - mean) ** 2, 0) / 4 + 1e-8);
        return found.weights[row * 12 + j]! + (total * (value - mean)) / (4 * deviation * length);
      });
      expectAllClose(found.slope, wanted, { relative: 1e-3, absolute: 1e-3 }, `differences of ${scale}`);
    }
  });
});
