import { defineOp, type Value } from "../graph.ts";
import { mul, positive, sub } from "./elementwise.ts";

interface Bounds {
  readonly low: number;
  readonly high: number;
}

const clipOp = defineOp<Bounds>("Clip", {
  shape: ([x]) => x!.shape,
  // A bound that is not there cuts nothing off.
  grad: (g, y, { low, high }) => {
    const x = y.inputs[0]!;
    const above = low === Number.NEGATIVE_INFINITY ? g : mul(g, positive(sub(x, low)));
    return [high === Number.POSITIVE_INFINITY ? above : mul(above, positive(sub(high, x)))];
  },
  lower: (l, inputs, _y, { low, high }) => l.node("Clip", [...inputs, bound(l, low), bound(l, high)]),
});

const bound = (l: { float(x: number): string }, x: number) => (Number.isFinite(x) ? l.float(x) : "");

/** x held to [low, high] in one node, either of which may be infinite: ReLU6, hard sigmoid; no gradient outside and at the bounds */
export function clip(x: Value, low: number, high: number): Value {
  return clipOp([x], { low, high });
}
