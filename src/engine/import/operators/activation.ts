import type { Value } from "../../graph.ts";
import * as act from "../../ops/activation.ts";
import { clamp } from "../../ops/clamp.ts";
import { abs, add, div, exp, greater, mul, neg, sub, where } from "../../ops/elementwise.ts";
import { reshape } from "../../ops/movement.ts";
import { sizeOf } from "../../shape.ts";
import type { Call } from "../call.ts";
import { alongLast } from "./axes.ts";
import type { Builder, Operators } from "./operator.ts";

const of =
  (f: (x: Value) => Value): Builder =>
  (c) =>
    f(c.value(0));

/** α·(eˣ − 1) below zero, without the exponential's overflow above */
const exponentialBelow = (x: Value, alpha: number) => mul(alpha, sub(exp(clamp(x, Number.NEGATIVE_INFINITY, 0)), 1));

function elu(x: Value, alpha: number): Value {
  return where(greater(x, 0), x, exponentialBelow(x, alpha));
}

const hardSigmoid = (x: Value, alpha: number, beta: number) => clamp(add(mul(x, alpha), beta), 0, 1);

/** Up to opset 12 all axes from the given one on are one; from 13 on there is one axis, the last by default. */
const alongAxis =
  (f: (x: Value) => Value): Builder =>
  (c) => {
    const x = c.value(0);
    const rank = x.shape.length;
    if (c.opset >= 13) return alongLast(x, c.axis(c.int("axis", -1), rank), f);
    const axis = c.axis(c.int("axis", 1), rank);
    const rows = sizeOf(x.shape.slice(0, axis));
    return reshape(f(reshape(x, [rows, sizeOf(x.shape.slice(axis))])), x.shape);
  };

/** ONNX's PRelu broadcasts its slope as NumPy does; up to opset 6 it had one a channel. */
const prelu: Builder = (c) => {
  const [x, given] = [c.value(0), c.value(1)];
  const channels = c.opset < 7 && given.shape.length === 1 && given.shape[0]! > 1;
  const slope = channels ? reshape(given, [given.shape[0]!, ...x.shape.slice(2).map(() => 1)]) : given;
  return sub(act.relu(x), mul(slope, act.relu(neg(x))));
};

/** Hendrycks & Gimpel 2016: exact, or with tanh in place of erf */
function gelu(c: Call): Value {
  const x = c.value(0);
  if (c.text("approximate", "none") !== "tanh") return act.gelu(x);
  const inner = mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(mul(x, x), x))));
  return mul(mul(x, 0.5), add(1, act.tanh(inner)));
}

const shrink: Builder = (c) => {
  const x = c.value(0);
  const [lambda, bias] = [c.float("lambd", 0.5), c.float("bias", 0)];
  return where(greater(x, lambda), sub(x, bias), where(greater(neg(x), lambda), add(x, bias), 0));
};

/** Activations. */
export const activation: Operators = {
  Celu: (c) => {
    const [x, alpha] = [c.value(0), c.float("alpha", 1)];
    return where(greater(x, 0), x, exponentialBelow(mul(x, 1 / alpha), alpha));
  },
  Elu: (c) => elu(c.value(0), c.float("alpha", 1)),
  Gelu: gelu,
  "com.microsoft.Gelu": of(act.gelu),
  "com.microsoft.QuickGelu": (c) => {
    const x = c.value(0);
    return mul(x, act.sigmoid(mul(x, c.float("alpha", 1.702))));
  },
  HardSigmoid: (c) => hardSigmoid(c.value(0), c.float("alpha", 0.2), c.float("beta", 0.5)),
  HardSwish: of((x) => mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  LeakyRelu: (c) => act.leakyRelu(c.value(0), c.float("alpha", 0.01)),
  LogSoftmax: alongAxis(act.logSoftmax),
  Mish: of((x) => mul(x, act.tanh(act.softplus(x)))),
  PRelu: prelu,
  Relu: of(act.relu),
  Selu: (c) => mul(c.float("gamma", 1.0507009873554805), elu(c.value(0), c.float("alpha", 1.6732632423543772))),
  Shrink: shrink,
  Sigmoid: of(act.sigmoid),
  Softmax: alongAxis(act.softmax),
  Softplus: of(act.softplus),
  Softsign: of((x) => div(x, add(1, abs(x)))),
  Swish: (c) => {
    const x = c.value(0);
    return mul(x, act.sigmoid(mul(x, c.float("alpha", 1))));
  },
  Tanh: of(act.tanh),
  ThresholdedRelu: (c) => {
    const x = c.value(0);
    return where(greater(x, c.float("alpha", 1)), x, 0);
  },
};
