import type { Value } from "../../graph.ts";
import { clamp } from "../../ops/clamp.ts";
import * as ops from "../../ops/elementwise.ts";
import { reshape } from "../../ops/movement.ts";
import { ceil, floor, round } from "../../ops/rounding.ts";
import { type Call, fixedValue } from "../call.ts";
import { heldNumbers } from "../held.ts";
import type { Builder, Operators } from "./operator.ts";

const unary =
  (f: (x: Value) => Value): Builder =>
  (c) =>
    f(real(c, 0));

/** An input of real numbers: the engine's arithmetic has no rule for others. */
function real(c: Call, i: number): Value {
  const x = c.operand(i);
  return x.dtype === "float32"
    ? x
    : c.fail(`input ${i + 1} has element type ${x.dtype}, only real numbers are supported`);
}

/** Both inputs, of one element type. Up to opset 6 the second one stood at an axis of the first. */
function pair(c: Call): [Value, Value] {
  const [a, b] = [c.operand(0), c.operand(1)];
  if (a.dtype !== b.dtype) c.fail(`element types ${a.dtype} and ${b.dtype} do not go together`);
  if (c.opset > 6 || !c.node.attributes.has("axis")) return [a, b];
  const behind = a.shape.length - c.axis(c.int("axis"), a.shape.length) - b.shape.length;
  return [a, reshape(b, [...b.shape, ...Array<number>(Math.max(behind, 0)).fill(1)])];
}

const binary =
  (f: (a: Value, b: Value) => Value): Builder =>
  (c) =>
    f(...pair(c));

const variadic =
  (f: (a: Value, b: Value) => Value, finish: (sum: Value, count: number) => Value = (sum) => sum): Builder =>
  (c) =>
    finish(
      Array.from({ length: Math.max(c.count, 1) }, (_, i) => real(c, i)).reduce((a, b) => f(a, b)),
      c.count,
    );

const truth = (x: Value) => (x.dtype === "bool" ? ops.toFloat(x) : x);
const not = (x: Value) => ops.equal(truth(x), 0);

const clipTo: Builder = (c) => {
  const x = real(c, 0);
  const bound = (i: number, name: string, otherwise: number): ops.Operand => {
    const attribute = c.node.attributes.get(name);
    if (attribute?.kind === "float") return attribute.value;
    if (!c.has(i)) return otherwise;
    return c.held(i).known === undefined ? c.value(i) : (c.numbers(i)![0] ?? otherwise);
  };
  const [low, high] = [bound(1, "min", Number.NEGATIVE_INFINITY), bound(2, "max", Number.POSITIVE_INFINITY)];
  if (typeof low === "number" && typeof high === "number") return clamp(x, low, high);
  return ops.minimum(ops.maximum(x, low), high);
};

/** Nothing is dropped from a trained model. */
const dropout: Builder = (c) => {
  const active = c.has(2) && c.numbers(2)![0] !== 0 && (c.numbers(1)?.[0] ?? 0.5) !== 0;
  return active ? c.fail("dropout is active; export the model in evaluation mode") : [c.held(0), undefined];
};

/**
 * Nothing is computed: the name stands for the same. Exporters store weights with equal numbers once and name the others so: they are
 * weights of their own.
 */
const same: Builder = (c) => (c.held(0).weight === undefined ? c.held(0) : heldNumbers(c.known(0), c.node.outputs[0]));

/** ONNX's element types by the kind of number that they hold. */
const REAL = [1, 10, 11, 16];
const BOOL = 9;

const cast: Builder = (c) => {
  const to = c.node.op === "CastLike" ? ({ float: 1, int: 7, bool: BOOL } as const)[c.held(1).type] : c.int("to");
  const x = c.held(0);
  if (REAL.includes(to)) return x.type === "float" ? x : ops.toFloat(x.value());
  if (to === BOOL) return x.type === "bool" ? x : not(ops.toFloat(not(x.value())));
  return x.type === "int" ? x : c.fail("real numbers that are computed cannot become whole ones");
};

const select: Builder = (c) => {
  if (c.held(0).type !== "bool") c.fail("the condition must be truth values");
  return ops.where(c.operand(0), real(c, 1), real(c, 2));
};

const half = (a: Value) => ops.mul(a, 0.5);

/** Element by element, comparisons, casts. */
export const arithmetic: Operators = {
  Abs: unary(ops.abs),
  Add: binary(ops.add),
  And: (c) => ops.greater(ops.mul(truth(c.value(0)), truth(c.value(1))), 0),
  Cast: cast,
  CastLike: cast,
  Ceil: unary(ceil),
  Clip: clipTo,
  Cos: unary(ops.cos),
  Cosh: unary((x) => half(ops.add(ops.exp(x), ops.exp(ops.neg(x))))),
  Div: binary(ops.div),
  Dropout: dropout,
  Equal: binary((a, b) => ops.equal(truth(a), truth(b))),
  Erf: unary(ops.erf),
  Exp: unary(ops.exp),
  Floor: unary(floor),
  Greater: binary(ops.greater),
  GreaterOrEqual: binary((a, b) => not(ops.toFloat(ops.greater(b, a)))),
  Identity: same,
  Less: binary((a, b) => ops.greater(b, a)),
  LessOrEqual: binary((a, b) => not(ops.toFloat(ops.greater(a, b)))),
  Log: unary(ops.log),
  Max: variadic(ops.maximum),
  Mean: variadic(ops.add, (sum, count) => ops.mul(sum, 1 / count)),
  Min: variadic(ops.minimum),
  Mul: binary(ops.mul),
  Neg: unary(ops.neg),
  Not: (c) => not(c.value(0)),
  Or: (c) => ops.greater(ops.add(truth(c.value(0)), truth(c.value(1))), 0),
  Pow: (c) => power(c),
  Reciprocal: unary((x) => ops.div(1, x)),
  Round: unary(round),
  Sign: unary(ops.sign),
  Sin: unary(ops.sin),
  Sinh: unary((x) => half(ops.sub(ops.exp(x), ops.exp(ops.neg(x))))),
  Sqrt: unary(ops.sqrt),
  Sub: binary(ops.sub),
  Sum: variadic(ops.add),
  Tan: unary((x) => ops.div(ops.sin(x), ops.cos(x))),
  Where: select,
  Xor: (c) => not(ops.toFloat(ops.equal(truth(c.value(0)), truth(c.value(1))))),
};

/** aᵇ. Squares, roots and reciprocals have a gradient where the general rule, which takes the logarithm of a, has none. */
function power(c: Call): Value {
  const a = real(c, 0);
  const exponent = c.held(1);
  const known = exponent.known?.();
  const b = known?.data.length === 1 ? known.data[0] : undefined;
  if (b === 2) return ops.square(a);
  if (b === 3) return ops.mul(ops.square(a), a);
  if (b === 1) return a;
  if (b === 0.5) return ops.sqrt(a);
  if (b === -1) return ops.div(1, a);
  const y =
    known === undefined || exponent.weighted
      ? c.operand(1)
      : fixedValue({ ...known, type: "float", data: Float32Array.from(known.data) });
  return ops.pow(a, y.dtype === "float32" ? y : ops.toFloat(y));
}
