import { defineOp, type Value } from "../graph.ts";

/** A step function of one node; its derivative is zero wherever it has one. */
function step(name: string): (x: Value) => Value {
  const op = defineOp(name, { shape: ([x]) => x!.shape, lower: (l, inputs) => l.node(name, inputs) });
  return (x) => op([x], {});
}

/** The largest whole number ≤ x; no gradient */
export const floor = step("Floor");

/** The smallest whole number ≥ x; no gradient */
export const ceil = step("Ceil");

/** The nearest whole number, the even one of two; no gradient */
export const round = step("Round");
