import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { grad } from "../../src/engine/autodiff.ts";
import { defineOp, input, type Op, type Value } from "../../src/engine/graph.ts";
import { cos, mul, neg, square } from "../../src/engine/ops/elementwise.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { setThreads } from "../../src/engine/runtime.ts";
import { showShape } from "../../src/engine/shape.ts";
import { checkGrads } from "../support/check-grads.ts";
import { cases } from "./cases/index.ts";

// The graphs are small: a second thread would only wait.
setThreads(1);

// Written out in tests of their own: which ONNX pattern stands for an op is no function of values.
const NOT_OPS = ["conv-lowering"];

for (const [file, table] of Object.entries(cases)) {
  describe(`gradients of ${file}`, () => {
    for (const [name, lines] of Object.entries(table)) {
      if ("noGradient" in lines) {
        test(`${name} lets no gradient through`, () => {
          const x = input("x", [2, 5]);
          expect(() => grad(sum(lines.noGradient(x)), [x])).toThrow("does not depend on x");
        });
      } else {
        test.each(lines.map((line, i) => [i, line[1].map(showShape).join(" "), line] as const))(
          `${name} #%i %s`,
          (_i, _shapes, [f, shapes, options]) => checkGrads(f, shapes, options),
        );
      }
    }
  });
}

test("every function that src/engine/ops exports has cases", async () => {
  const folder = new URL("../../src/engine/ops/", import.meta.url);
  const files = (await readdir(folder)).filter((f) => f.endsWith(".ts") && !f.endsWith(".test.ts"));
  for (const file of files.map((f) => f.slice(0, -3)).filter((f) => !NOT_OPS.includes(f))) {
    const module: Record<string, unknown> = await import(new URL(`${file}.ts`, folder).href);
    const functions = Object.keys(module).filter((name) => typeof module[name] === "function");
    expect(Object.keys(cases[file] ?? {}).sort(), file).toEqual(functions.sort());
    for (const name of functions) {
      const lines = cases[file]![name]!;
      if (!("noGradient" in lines)) expect(lines.length, `${file}: ${name}`).toBeGreaterThan(0);
    }
  }
});

/** sin with a first or a second derivative that is off by the factor */
function nearlySine(first: number, second: number): (x: Value) => Value {
  const cosine: Op<Record<never, never>> = defineOp("Cos", {
    shape: ([x]) => x!.shape,
    grad: (g, y) => [mul(second, neg(mul(g, sine([y.inputs[0]!], {}))))],
    lower: (l, inputs) => l.node("Cos", inputs),
  });
  const sine: Op<Record<never, never>> = defineOp("Sin", {
    shape: ([x]) => x!.shape,
    grad: (g, y) => [mul(first, mul(g, cosine([y.inputs[0]!], {})))],
    lower: (l, inputs) => l.node("Sin", inputs),
  });
  return (x) => sine([x], {});
}

describe("the gradient check", () => {
  const shapes = [[1], [7], [4, 50]];

  test.each(shapes)("accepts right rules on shape %j", (...shape) => checkGrads(nearlySine(1, 1), [shape]));

  test.each(shapes)("catches a first derivative that is off by 0.5 %% on shape %j", async (...shape) => {
    await expect(checkGrads(nearlySine(1.005, 1), [shape])).rejects.toThrow("order 1, x0");
    await expect(checkGrads(nearlySine(0.995, 1), [shape])).rejects.toThrow("order 1, x0");
  });

  test.each(shapes)("catches a second derivative that is off by 0.5 %% on shape %j", async (...shape) => {
    await expect(checkGrads(nearlySine(1, 1.005), [shape])).rejects.toThrow("order 2, x0");
    await expect(checkGrads(nearlySine(1, 0.995), [shape])).rejects.toThrow("order 2, x0");
  });

  test("catches a wrong rule of one input among right ones", async () => {
    const f = (a: Value, b: Value) => mul(square(a), nearlySine(1.005, 1)(b));
    await expect(checkGrads(f, [[3, 20], [20]])).rejects.toThrow("order 1, x1");
  });

  test("catches a gradient that is missing", async () => {
    const f = (x: Value) =>
      mul(x, defineOp("Identity", { shape: ([v]) => v!.shape, lower: (l, i) => l.node("Identity", i) })([x], {}));
    await expect(checkGrads(f, [[5]])).rejects.toThrow("order 1");
  });

  test("refuses a function that depends on none of its inputs", async () => {
    await expect(checkGrads((x) => cos(sum(mul(0, input("other", x.shape)))), [[2]])).rejects.toThrow("no input");
  });
});
