import { expect, test } from "vitest";
import { input } from "../graph.ts";
import { random } from "../random.ts";
import { compile } from "../runtime.ts";
import { mul } from "./elementwise.ts";
import { mean, sum } from "./reduce.ts";

// A few lanes of float32 that run over all eight million lose 1e-4 of them.
test("a sum and a mean of millions of numbers keep float32's digits, with and without their axes", async () => {
  const shape = [16, 128, 64, 64];
  const x = input("x", shape);
  const squares = mul(x, x);
  const program = await compile({
    outputs: { sum: sum(squares), kept: sum(squares, [0, 1, 2, 3], true), mean: mean(squares) },
  });
  const data = random(5, "x").uniforms(shape.reduce((a, b) => a * b));
  const found = await program.run({ x: data });
  const exact = data.reduce((total, v) => total + Math.fround(v * v), 0);
  expect(found.kept!.shape).toEqual([1, 1, 1, 1]);
  for (const [name, wanted] of Object.entries({ sum: exact, kept: exact, mean: exact / data.length })) {
    expect(found[name]!.data[0]! / wanted, name).toBeCloseTo(1, 6);
  }
  await program.release();
});
