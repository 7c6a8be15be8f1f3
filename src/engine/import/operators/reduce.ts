import { constant, type Value } from "../../graph.ts";
import { abs, add, exp, log, mul, neg, sqrt, square, stopGradient, sub, toFloat } from "../../ops/elementwise.ts";
import { flip, reshape } from "../../ops/movement.ts";
import { argMax, max, mean, sum } from "../../ops/reduce.ts";
import { indexTensor } from "../../tensor.ts";
import type { Call } from "../call.ts";
import { alongLast, take } from "./axes.ts";
import type { Builder, Operators } from "./operator.ts";

type Reduction = (x: Value, axes: readonly number[], keep: boolean) => Value;

/** Axes come as an attribute at first, as an input later (sum: opset 13, others: 18). */
function axesOf(c: Call, rank: number): readonly number[] {
  const axes = c.list("axes") ?? c.numbers(1) ?? [];
  if (axes.length > 0) return [...new Set(axes.map((a) => c.axis(a, rank)))].sort((a, b) => a - b);
  return c.int("noop_with_empty_axes", 0) === 1 ? [] : Array.from({ length: rank }, (_, i) => i);
}

const reduction =
  (f: Reduction): Builder =>
  (c) => {
    const x = c.value(0);
    if (x.dtype !== "float32") c.fail(`input 1 has element type ${x.dtype}, only real numbers are supported`);
    return f(x, axesOf(c, x.shape.length), c.int("keepdims", 1) === 1);
  };

const total: Reduction = (x, axes, keep) => sum(x, axes, keep);

/** ln Σ eˣ, shifted by the largest so that it does not overflow */
const logSumExp: Reduction = (x, axes, keep) => {
  const top = stopGradient(max(x, axes, true));
  const kept = add(log(sum(exp(sub(x, top)), axes, true)), top);
  return keep
    ? kept
    : reshape(
        kept,
        x.shape.filter((_, i) => !axes.includes(i)),
      );
};

/** Axes whose product is taken element by element; more would be a graph of as many nodes. */
const MAX_FACTORS = 256;

const product: Reduction = (x, axes, keep) => {
  const whole = axes.reduce((y, axis) => {
    const length = y.shape[axis]!;
    if (length < 1 || length > MAX_FACTORS)
      throw new RangeError(`a product of ${length} elements, 1 to ${MAX_FACTORS} are supported`);
    return Array.from({ length }, (_, i) => take(y, axis, [i])).reduce((a, b) => mul(a, b));
  }, x);
  return keep
    ? whole
    : reshape(
        whole,
        x.shape.filter((_, i) => !axes.includes(i)),
      );
};

/** The first of the largest, or the last one. */
const arg =
  (of: (x: Value) => Value): Builder =>
  (c) => {
    const given = c.value(0);
    const x = of(given.dtype === "float32" ? given : toFloat(given));
    const axis = c.axis(c.int("axis", 0), x.shape.length);
    const last = c.int("select_last_index", 0) === 1;
    const kept = alongLast(x, axis, (rows) => {
      // The last of the largest is the first one from behind.
      const found = argMax(last ? flip(rows, [-1]) : rows);
      const place = last ? sub(constant(indexTensor([rows.shape.at(-1)! - 1], [])), found) : found;
      return reshape(place, [...place.shape, 1]);
    });
    return c.int("keepdims", 1) === 1
      ? kept
      : reshape(
          kept,
          x.shape.filter((_, i) => i !== axis),
        );
  };

/** Reductions. */
export const reductions: Operators = {
  ArgMax: arg((x) => x),
  ArgMin: arg(neg),
  ReduceL1: reduction((x, axes, keep) => sum(abs(x), axes, keep)),
  ReduceL2: reduction((x, axes, keep) => sqrt(sum(square(x), axes, keep))),
  ReduceLogSum: reduction((x, axes, keep) => log(sum(x, axes, keep))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceMax: reduction((x, axes, keep) => max(x, axes, keep)),
  ReduceMean: reduction((x, axes, keep) => mean(x, axes, keep)),
  ReduceMin: reduction((x, axes, keep) => neg(max(neg(x), axes, keep))),
  ReduceProd: reduction(product),
  ReduceSum: reduction(total),
  ReduceSumSquare: reduction((x, axes, keep) => sum(square(x), axes, keep)),
};
