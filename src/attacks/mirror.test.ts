import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { input } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { nextGeneration } from "./mirror-ga.ts";
import { heldInPSpace, styleBounds } from "./p-space.ts";

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
  const { low, high } = styleBounds(rows, width, 1.5);
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
  const bounds = styleBounds(rows, width, 1);
  const styles = Float32Array.of(-50, 50, 0.1, 0.2, -0.1, 900);
  const held = await evaluate(heldInPSpace(input("styles", [2, width]), bounds), { styles });
  const wanted = [...styles].map((w, i) => {
    const { mean, deviation } = spread(i % width);
    return back(Math.min(mean + deviation, Math.max(mean - deviation, p(w))));
  });
  expectAllClose(held, wanted, { relative: 1e-4, absolute: 1e-6 });
  expect(held[0]!).toBeGreaterThan(-50);
});

describe("a generation of the genetic algorithm", () => {
  const bounds = styleBounds(rows, width, 3);
  const count = 400;
  // Parents are recognised by their numbers, all well within the bounds: 0.01, 0.02, …
  const population = Float32Array.from({ length: count * width }, (_, at) => 0.001 * Math.floor(at / width));
  const breed = (fitness: Float32Array, mutated: number) =>
    nextGeneration({ population, fitness, width, bounds, mutated, mutation: 0.1, rng: random(2, "generation") });

  test("is bred of parents in proportion to their probabilities, each number from the likelier one more often", () => {
    // Two parents count, with 0.9 and 0.3: of the numbers of their common children three quarters come from the first.
    const fitness = new Float32Array(count);
    [fitness[10], fitness[20]] = [0.9, 0.3];
    const children = breed(fitness, 0);
    expect(children.length).toBe((count - 1) * width);
    const from = (parent: number) =>
      children.filter((x) => Math.abs(x - 0.001 * parent) < 1e-6).length / children.length;
    expect(from(10) + from(20)).toBe(1);
    // Both from the first: 9/16; one of each: 6/16, of which three quarters; none: 1/16.
    expect(from(10)).toBeGreaterThan(9 / 16 + 4.5 / 16 - 0.06);
    expect(from(10)).toBeLessThan(9 / 16 + 4.5 / 16 + 0.06);
  });

  test("changes the given share of numbers, each by the same amount in P-space, within the bounds", () => {
    const fitness = new Float32Array(count).fill(0);
    fitness[5] = 1;
    const children = breed(fitness, 0.25);
    for (let j = 0; j < width; j++) {
      const changes = Array.from({ length: count - 1 }, (_, i) => p(children[i * width + j]!) - 0.005);
      const moved = changes.filter((x) => Math.abs(x) > 1e-6);
      expect(moved.length / changes.length).toBeGreaterThan(0.15);
      expect(moved.length / changes.length).toBeLessThan(0.35);
      expect(Math.max(...moved) - Math.min(...moved)).toBeLessThan(1e-5);
      expect(Math.abs(moved[0]!)).toBeLessThanOrEqual(0.1 * bounds.deviation[j]! + 1e-6);
    }
  });
});
