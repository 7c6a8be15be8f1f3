import { constant, constantTensor, defineOp, type Value } from "../graph.ts";
import type { Lowering } from "../lowering.ts";
import { broadcastShapes } from "../shape.ts";
import { type Dtype, tensor } from "../tensor.ts";

/** A value, or a number that stands for a scalar constant. */
export type Operand = Value | number;

/** A constant of shape []. */
export function scalar(x: number): Value {
  return constant(tensor([x], []));
}

const lift = (x: Operand): Value => (typeof x === "number" ? scalar(x) : x);

type Rule = (g: Value, y: Value, x: Value) => Value;

/** An op of one input that keeps the shape and lowers to one ONNX node. */
function unary(name: string, rule?: Rule): (x: Value) => Value {
  const op = defineOp(name, {
    shape: ([x]) => x!.shape,
    ...(rule && { grad: (g: Value, y: Value) => [rule(g, y, y.inputs[0]!)] }),
    lower: (l, inputs) => l.node(name, inputs),
  });
  return (x) => op([x], {});
}

/**
 * A scalar gets the result's rank where that ends in an axis of one, as 1×1 kernels do: the runtime (1.30) then sees that it meets all
 * elements alike, while of a scalar without axes it takes them one by one.
 */
function ranked(l: Lowering, name: string, v: Value, y: Value): string {
  if (v.shape.length > 0 || y.shape.length < 2 || y.shape.at(-1) !== 1) return name;
  return l.node("Reshape", [name, l.int64s(y.shape.map(() => 1))]);
}

type PairRule = (g: Value, y: Value, a: Value, b: Value) => readonly [Value, Value];

/** An op of two inputs that broadcast; the reverse walk undoes the broadcasting. */
function binary(name: string, rule?: PairRule, dtype?: Dtype): (a: Operand, b: Operand) => Value {
  const op = defineOp(name, {
    shape: ([a, b], _, fail) => broadcastShapes(a!.shape, b!.shape) ?? fail("shapes must broadcast"),
    ...(dtype && { dtype }),
    ...(rule && { grad: (g: Value, y: Value) => rule(g, y, y.inputs[0]!, y.inputs[1]!) }),
    lower: (l, inputs, y) =>
      l.node(
        name,
        inputs.map((input, i) => ranked(l, input, y.inputs[i]!, y)),
      ),
  });
  return (a, b) => op([lift(a), lift(b)], {});
}

const isScalar = (v: Value, x: number) => v.shape.length === 0 && constantTensor(v)?.data[0] === x;

const addOp = binary("Add", (g) => [g, g]);
const mulOp = binary("Mul", (g, _y, a, b) => [mul(g, b), mul(g, a)]);

/** a + b */
export function add(a: Operand, b: Operand): Value {
  const [x, y] = [lift(a), lift(b)];
  if (isScalar(y, 0)) return x;
  return isScalar(x, 0) ? y : addOp(x, y);
}

/** a · b, element by element */
export function mul(a: Operand, b: Operand): Value {
  const [x, y] = [lift(a), lift(b)];
  if (isScalar(y, 1)) return x;
  return isScalar(x, 1) ? y : mulOp(x, y);
}

/** a − b */
export const sub = binary("Sub", (g) => [g, neg(g)]);

/** a / b; d = g/b, −g·y/b */
export const div = binary("Div", (g, y, _a, b) => [div(g, b), neg(div(mul(g, y), b))]);

/** aᵇ; d = g·b·aᵇ⁻¹, g·y·ln a */
export const pow = binary("Pow", (g, y, a, b) => [mul(g, mul(b, pow(a, sub(b, 1)))), mul(g, mul(y, log(a)))]);

/** −x */
export const neg: (x: Value) => Value = unary("Neg", (g) => neg(g));

/** eˣ */
export const exp: (x: Value) => Value = unary("Exp", (g, y) => mul(g, y));

/** ln x */
export const log: (x: Value) => Value = unary("Log", (g, _y, x) => div(g, x));

/** √x; d = g / 2y */
export const sqrt: (x: Value) => Value = unary("Sqrt", (g, y) => div(g, mul(2, y)));

/** |x|; d = g · sign x */
export const abs: (x: Value) => Value = unary("Abs", (g, _y, x) => mul(g, sign(x)));

/** −1, 0 or 1; no gradient */
export const sign = unary("Sign");

/** cos x */
export const cos: (x: Value) => Value = unary("Cos", (g, _y, x) => neg(mul(g, sin(x))));

/** sin x */
export const sin: (x: Value) => Value = unary("Sin", (g, _y, x) => mul(g, cos(x)));

/** The error function; d = g · 2/√π · exp(−x²) */
export const erf: (x: Value) => Value = unary("Erf", (g, _y, x) =>
  mul(g, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x))))),
);

/** The same value, through which no gradient flows. */
export const stopGradient = unary("Identity");

/** a > b, as truth values */
export const greater = binary("Greater", undefined, "bool");

/** a = b, as truth values */
export const equal = binary("Equal", undefined, "bool");

const positiveOp = defineOp("Positive", {
  shape: ([x]) => x!.shape,
  // 3e38·x is at least 1 for every normal float32 above zero, so the clamp gives 0 or 1; this runs on all threads, Sign does not.
  lower: (l, inputs) => l.node("HardSigmoid", inputs, { alpha: 3e38, beta: 0 }),
});

/** 1 where x > 0, else 0, as numbers; no gradient */
export function positive(x: Value): Value {
  return positiveOp([x], {});
}

const castOp = defineOp("ToFloat", {
  shape: ([x]) => x!.shape,
  dtype: "float32",
  lower: (l, inputs) => l.node("Cast", inputs, { to: 1 }),
});

/** Truth values or whole numbers as float32; no gradient */
export function toFloat(x: Value): Value {
  return castOp([x], {});
}

const whereOp = defineOp("Where", {
  shape: ([c, a, b], _, fail) => {
    const both = broadcastShapes(a!.shape, b!.shape) ?? fail("both branches must broadcast");
    return broadcastShapes(c!.shape, both) ?? fail("condition and branches must broadcast");
  },
  dtype: "float32",
  grad: (g, y) => {
    const c = y.inputs[0]!;
    return [null, where(c, g, 0), where(c, 0, g)];
  },
  lower: (l, inputs) => l.node("Where", inputs),
});

/** a where the condition holds, else b */
export function where(condition: Value, a: Operand, b: Operand): Value {
  return whereOp([condition, lift(a), lift(b)], {});
}

/** a ≤ b, as truth values */
const atMost = binary("LessOrEqual", undefined, "bool");

/**
 * b where `holds(a, b)`, else a. No comparison holds of NaN, so that a's goes on with a; b's needs a branch of its own, which is spared
 * where b is fixed.
 */
function choose(holds: (a: Value, b: Value) => Value, a: Value, b: Value): Value {
  const otherwise = constantTensor(b) === undefined ? where(equal(b, b), a, b) : a;
  return where(holds(a, b), b, otherwise);
}

/** The larger of both, NaN where either is; a tie sends the gradient to b. */
export function maximum(a: Operand, b: Operand): Value {
  return choose((x, y) => atMost(x, y), lift(a), lift(b));
}

/** The smaller of both, NaN where either is; a tie sends the gradient to b. */
export function minimum(a: Operand, b: Operand): Value {
  return choose((x, y) => atMost(y, x), lift(a), lift(b));
}

/** x², with one multiplication */
export function square(x: Value): Value {
  return mul(x, x);
}
