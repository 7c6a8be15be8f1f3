import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { input } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { heldInPSpace, styleBounds } from "./mirror.ts";

const width = 3;
const rows = random(1, "styles")
  .normals(200 * width)
  .map((x, i) => x * (1 + (i % width)) + 0.5);
const p = (w: number) => (w < 0 ? 5 * w : w);
const back = (x: number) => (x < 0 ? 0.2 * x : x);
const column = (j: number) => Array.from({ length: 200 }, (_, i) => p(rows[i * width + j]!));
const spread = (j: number) => {
  const values = column(j);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length) };
};

test("bounds are the mean and the standard deviations of random styles before the last leaky ReLU", () => {
  const { low, high } = styleBounds(rows, { width }, 1.5);
  expectAllClose(
    low.data,
    [0, 1, 2].map((j) => spread(j).mean - 1.5 * spread(j).deviation),
    { relative: 1e-5 },
  );
  expectAllClose(
    high.data,
    [0, 1, 2].map((j) => spread(j).mean + 1.5 * spread(j).deviation),
    { relative: 1e-5 },
  );
});

test("styles beyond the bounds are brought to them, in P-space; others stay", async () => {
  const bounds = styleBounds(rows, { width }, 1);
  const styles = Float32Array.of(-50, 50, 0.1, 0.2, -0.1, 900);
  const held = await evaluate(heldInPSpace(input("styles", [2, width]), bounds), { styles });
  const wanted = [...styles].map((w, i) => {
    const { mean, deviation } = spread(i % width);
    return back(Math.min(mean + deviation, Math.max(mean - deviation, p(w))));
  });
  expectAllClose(held, wanted, { relative: 1e-4, absolute: 1e-6 });
  expect(held[0]!).toBeGreaterThan(-50);
});
