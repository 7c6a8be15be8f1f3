import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { input, type Value } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { setThreads } from "../engine/runtime.ts";
import type { StateDict } from "../engine/store.ts";
import { fixed, initialState } from "../models/bind.ts";
import type { Layer } from "../models/layer.ts";
import { doubled, equalizedConv, equalizedLinear, type StyledLayer, synthesisLayer, toImage } from "./style-layers.ts";

setThreads(1);

const [N, FROM, TO, SIDE, STYLE] = [2, 3, 4, 4, 5];
const x = random(1, "x").normals(N * FROM * SIDE * SIDE);
const w = random(1, "w").normals(N * STYLE);

/** A styled layer's result for x and w, with biases and noise strength that show. */
async function styled(layer: StyledLayer) {
  const first = initialState(layer.weights, 3);
  const state: StateDict = Object.fromEntries(
    Object.entries(first).map(([name, t]) => [
      name,
      /bias|strength/.test(name) ? { ...t, data: t.data.map((v, i) => v + 0.3 + 0.1 * i) } : t,
    ]),
  );
  const bound: Layer = { weights: layer.weights, apply: (v, c) => layer.apply(v, input("w", [N, STYLE]), c) };
  const y = fixed(state).apply(bound, input("x", [N, FROM, SIDE, SIDE]));
  return { got: await evaluate(y, { x, w }), state };
}

/** affine(w), [N, FROM]: the modulation of each input channel */
function modulation(state: StateDict, path: string): number[][] {
  const [weight, bias] = [state[`${path}.affine.weight`]!.data, state[`${path}.affine.bias`]!.data];
  return Array.from({ length: N }, (_, n) =>
    Array.from({ length: FROM }, (_, c) =>
      Array.from({ length: STYLE }, (_, d) => (weight[c * STYLE + d]! / Math.sqrt(STYLE)) * w[n * STYLE + d]!).reduce(
        (a, b) => a + b,
        bias[c]!,
      ),
    ),
  );
}

/** The kernel of image n, modulated and scaled to unit length an output channel (Karras et al. 2020, eq. 1 and 3). */
function ownKernel(state: StateDict, path: string, s: readonly number[]): (k: number, c: number, i: number) => number {
  const weight = state[`${path}.weight`]!.data;
  const of = (k: number, c: number, i: number) => weight[(k * FROM + c) * 9 + i]! * s[c]!;
  const length = Array.from({ length: TO }, (_, k) => {
    let sum = 0;
    for (let c = 0; c < FROM; c++) for (let i = 0; i < 9; i++) sum += of(k, c, i) ** 2;
    return Math.sqrt(sum + 1e-8);
  });
  return (k, c, i) => of(k, c, i) / length[k]!;
}

const leaky = (v: number) => Math.SQRT2 * (v < 0 ? 0.2 * v : v);

describe("a synthesis layer", () => {
  test("convolves each image with a kernel of its own, then adds noise and bias", async () => {
    const { got, state } = await styled(
      synthesisLayer({ path: "l", from: FROM, to: TO, style: STYLE, side: SIDE, up: false }),
    );
    const noise = state["l.noise_const"]!.data;
    const strength = state["l.noise_strength"]!.data[0]!;
    const wanted: number[] = [];
    for (const [n, s] of modulation(state, "l").entries()) {
      const kernel = ownKernel(state, "l", s);
      for (let k = 0; k < TO; k++)
        for (let r = 0; r < SIDE; r++)
          for (let q = 0; q < SIDE; q++) {
            let sum = 0;
            for (let c = 0; c < FROM; c++)
              for (let i = 0; i < 9; i++) {
                const [row, column] = [r + Math.floor(i / 3) - 1, q + (i % 3) - 1];
                if (row < 0 || row >= SIDE || column < 0 || column >= SIDE) continue;
                sum += kernel(k, c, i) * x[((n * FROM + c) * SIDE + row) * SIDE + column]!;
              }
            wanted.push(leaky(sum + strength * noise[r * SIDE + q]! + state["l.bias"]!.data[k]!));
          }
    }
    expectAllClose(got, wanted, { relative: 1e-4, absolute: 1e-5 });
  });

  test("doubles the side by a transposed convolution and a blur", async () => {
    const { got, state } = await styled(
      synthesisLayer({ path: "l", from: FROM, to: TO, style: STYLE, side: 2 * SIDE, up: true }),
    );
    const noise = state["l.noise_const"]!.data;
    const strength = state["l.noise_strength"]!.data[0]!;
    const wide = 2 * SIDE + 1;
    const wanted: number[] = [];
    for (const [n, s] of modulation(state, "l").entries()) {
      const kernel = ownKernel(state, "l", s);
      for (let k = 0; k < TO; k++) {
        const spread = new Float64Array(wide * wide);
        for (let c = 0; c < FROM; c++)
          for (let at = 0; at < SIDE * SIDE; at++)
            for (let i = 0; i < 9; i++) {
              const [row, column] = [2 * Math.floor(at / SIDE) + Math.floor(i / 3), 2 * (at % SIDE) + (i % 3)];
              spread[row * wide + column]! += kernel(k, c, i) * x[(n * FROM + c) * SIDE * SIDE + at]!;
            }
        for (let r = 0; r < 2 * SIDE; r++)
          for (let q = 0; q < 2 * SIDE; q++) {
            let sum = 0;
            for (const [a, vertical] of [1, 3, 3, 1].entries())
              for (const [b, horizontal] of [1, 3, 3, 1].entries()) {
                const [row, column] = [r + a - 1, q + b - 1];
                if (row < 0 || row >= wide || column < 0 || column >= wide) continue;
                sum += ((4 * vertical * horizontal) / 64) * spread[row * wide + column]!;
              }
            wanted.push(leaky(sum + strength * noise[r * 2 * SIDE + q]! + state["l.bias"]!.data[k]!));
          }
      }
    }
    expectAllClose(got, wanted, { relative: 1e-4, absolute: 1e-4 });
  });
});

test("the layer to the image modulates without scaling back", async () => {
  const { got, state } = await styled(toImage({ path: "l", from: FROM, to: TO, style: STYLE }));
  const weight = state["l.weight"]!.data;
  const wanted = modulation(state, "l").flatMap((s, n) =>
    Array.from({ length: TO * SIDE * SIDE }, (_, i) => {
      const [k, at] = [Math.floor(i / SIDE ** 2), i % SIDE ** 2];
      let sum = state["l.bias"]!.data[k]!;
      for (let c = 0; c < FROM; c++)
        sum += (weight[k * FROM + c]! * s[c]! * x[(n * FROM + c) * SIDE ** 2 + at]!) / Math.sqrt(FROM);
      return sum;
    }),
  );
  expectAllClose(got, wanted, { relative: 1e-4, absolute: 1e-5 });
});

test("a flat image stays flat, at its value, when it is doubled; its border fades", async () => {
  const got = await evaluate(doubled(input("x", [1, 1, 4, 4])), { x: new Float32Array(16).fill(0.5) });
  const inner = [2, 3, 4, 5].flatMap((row) => [...got.subarray(row * 8 + 2, row * 8 + 6)]);
  expectAllClose(inner, Array<number>(16).fill(0.5), { relative: 1e-6 });
  expect(got[0]!).toBeLessThan(0.5);
});

test("equalised layers have weights of unit variance, scaled where they are used", async () => {
  const of = async (layer: Layer, shape: number[], data: Float32Array, state = initialState(layer.weights, 4)) => ({
    got: await evaluate(fixed(state).apply(layer, input("x", shape)) as Value, { x: data }),
    state,
  });
  const row = Float32Array.of(1, -2, 0.5);
  const dense = await of(equalizedLinear("l", 3, 2, { rate: 0.01, bias: 2, activated: true }), [1, 3], row);
  const { data } = dense.state["l.weight"]!;
  // N(0, 1) over the rate, times the rate over the root of the inputs; the bias goes by the rate too.
  const byHand = [0, 1].map((k) =>
    leaky(row.reduce((sum, v, i) => sum + (v * data[k * 3 + i]! * 0.01) / Math.sqrt(3), 0.01 * 2)),
  );
  expectAllClose(dense.got, byHand, { relative: 1e-4 });

  // A map without structure, halved: 1×1 means by the filter, which sums to one.
  const flat = new Float32Array(3 * 8 * 8).fill(1);
  const halving = await of(equalizedConv("c", 3, 1, 1, { bias: false, down: true, gain: 0.5 }), [1, 3, 8, 8], flat);
  const total = halving.state["c.weight"]!.data.reduce((a, b) => a + b, 0) / Math.sqrt(3);
  expect(halving.got.length).toBe(16);
  expectAllClose([halving.got[5]!], [0.5 * total], { relative: 1e-4 });
});
