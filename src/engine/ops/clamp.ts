import { defineOp, type Value } from "../graph.ts";
import { mul, positive, sub } from "./elementwise.ts";

interface Bounds {
  readonly low: number;
  readonly high: number;
}

const clampOp = defineOp<Bounds>("Clip", {
  shape: ([x]) => x!.shape,
  // Between the bounds both distances from them are positive, and so is their product; a bound that is not there cuts nothing off.
  grad: (g, y, { low, high }) => {
    const above = low === Number.NEGATIVE_INFINITY ? [] : [low === 0 ? y : sub(y, low)];
    const below = high === Number.POSITIVE_INFINITY ? [] : [sub(high, y)];
    const [first, second] = [...above, ...below];
    if (first === undefined) return [g];
    return [mul(g, positive(second === undefined ? first : mul(first, second)))];
  },
  lower: (l, inputs, _y, { low, high }) => l.node("Clip", [...inputs, bound(l, low), bound(l, high)]),
});

const bound = (l: { float(x: number): string }, x: number) => (Number.isFinite(x) ? l.float(x) : "");

/**
 * x held to [low, high], either of which may be infinite, in one node: ReLU6, hard sigmoid. NaN where x is; no gradient outside and at the
 * bounds.
 */
export function clamp(x: Value, low: number, high: number): Value {
  return clampOp([x], { low, high });
}
