import { defineOp, type Value } from "../graph.ts";
import { normalizeAxis, type Shape, sizeOf } from "../shape.ts";
import { add, div, equal, exp, log, mul, sqrt, stopGradient, sub, toFloat } from "./elementwise.ts";
import { broadcastTo, reshape } from "./movement.ts";

interface Over {
  readonly axes: readonly number[];
  readonly keep: boolean;
}

function reducedShape(shape: Shape, { axes, keep }: Over): Shape {
  return shape.flatMap((n, i) => (axes.includes(i) ? (keep ? [1] : []) : [n]));
}

/** The reduced value with ones where axes were summed, so that it broadcasts against its input. */
function kept(v: Value, x: Value, { axes }: Over): Value {
  return reshape(v, reducedShape(x.shape, { axes, keep: true }));
}

/** Elements that the runtime may add to one float32 one after another: over millions the last ones would be rounded away. */
const ADDED_AT_ONCE = 2 ** 16;

/** The last axes, for a first pass of a long reduction over all axes: those whose size is nearest to the root of all. */
function firstPass(shape: Shape, axes: readonly number[]): readonly number[] {
  if (axes.length < Math.max(2, shape.length) || sizeOf(shape) <= ADDED_AT_ONCE) return [];
  const half = Math.log(sizeOf(shape)) / 2;
  const from = (at: number) => Math.abs(Math.log(sizeOf(shape.slice(at))) - half);
  const start = shape.map((_, at) => at).reduce((best, at) => (from(at) < from(best) ? at : best), 1);
  return shape.flatMap((_, at) => (at >= start ? [at] : []));
}

function reduction(name: string, grad: (g: Value, y: Value, x: Value, over: Over) => Value) {
  const op = defineOp<Over>(name, {
    shape: ([x], over, fail) => {
      if (over.axes.some((a) => a < 0 || a >= x!.shape.length)) fail(`axes ${over.axes.join(", ")} must exist`);
      return reducedShape(x!.shape, over);
    },
    grad: (g, y, over) => [grad(g, y, y.inputs[0]!, over)],
    lower: (l, inputs, y, over) => {
      const first = firstPass(y.inputs[0]!.shape, over.axes);
      const x = first.length > 0 ? l.node(name, [inputs[0]!, l.int64s(first)], { keepdims: 1 }) : inputs[0]!;
      return l.node(name, [x, l.int64s(over.axes)], { keepdims: over.keep ? 1 : 0 });
    },
  });
  return (x: Value, axes: readonly number[] = x.shape.map((_, i) => i), keep = false): Value =>
    // ONNX reads an empty list of axes as "all of them".
    axes.length === 0 ? x : op([x], { axes: axes.map((a) => normalizeAxis(a, x.shape.length)), keep });
}

/** Σ x over the axes (all by default) */
export const sum = reduction("ReduceSum", (g, _y, x, over) => broadcastTo(kept(g, x, over), x.shape));

/** The mean over the axes (all by default) */
export const mean = reduction("ReduceMean", (g, _y, x, over) => {
  const count = over.axes.reduce((n, a) => n * x.shape[a]!, 1);
  return broadcastTo(mul(kept(g, x, over), 1 / count), x.shape);
});

/** The largest element over the axes (all by default); where several are largest they share the gradient equally. */
export const max = reduction("ReduceMax", (g, y, x, over) => {
  const largest = toFloat(equal(x, kept(y, x, over)));
  return mul(largest, div(kept(g, x, over), sum(largest, over.axes, true)));
});

/** ln Σ exp(x) over one axis, shifted by the maximum so that it does not overflow */
export function logSumExp(x: Value, axis = -1, keep = false): Value {
  const top = stopGradient(max(x, [axis], true));
  const shifted = add(log(sum(exp(sub(x, top)), [axis], true)), top);
  return keep
    ? shifted
    : reshape(shifted, reducedShape(x.shape, { axes: [normalizeAxis(axis, x.shape.length)], keep }));
}

/** ‖x‖₂ over the axes; `epsilon` under the root keeps the gradient finite at zero */
export function norm2(x: Value, axes: readonly number[], epsilon = 0): Value {
  return sqrt(add(sum(mul(x, x), axes), epsilon));
}

const argMaxOp = defineOp("ArgMax", {
  shape: ([x]) => x!.shape.slice(0, -1),
  dtype: "int32",
  lower: (l, inputs) => l.node("Cast", [l.node("ArgMax", inputs, { axis: -1, keepdims: 0 })], { to: 6 }),
});

/** The index of the largest element along the last axis (the first of several); no gradient */
export function argMax(x: Value): Value {
  return argMaxOp([x], {});
}
