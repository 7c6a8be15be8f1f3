import { defineOp, type Value } from "../graph.ts";
import { add, exp, mul, neg, positive, sub } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { sum } from "./reduce.ts";

const reluOp = defineOp("Relu", {
  shape: ([x]) => x!.shape,
  grad: (g, y) => [mul(g, positive(y))],
  lower: (l, inputs) => l.node("Relu", inputs),
});

/** max(x, 0) */
export function relu(x: Value): Value {
  return reluOp([x], {});
}

const leakyReluOp = defineOp<{ slope: number }>("LeakyRelu", {
  shape: ([x]) => x!.shape,
  grad: (g, y, { slope }) => [mul(g, add(slope, mul(1 - slope, positive(y.inputs[0]!))))],
  lower: (l, inputs, _y, { slope }) => l.node("LeakyRelu", inputs, { alpha: slope }),
});

/** x where x > 0, else slope · x; PyTorch's default slope is 0.01, GANs use 0.2 */
export function leakyRelu(x: Value, slope = 0.01): Value {
  return leakyReluOp([x], { slope });
}

/** max(x, 0) + weight · min(x, 0) with one weight a channel (axis 1), or one for all; weight has shape [C] or [1] */
export function prelu(x: Value, weight: Value): Value {
  const perChannel = reshape(weight, [weight.shape[0]!, ...x.shape.slice(2).map(() => 1)]);
  return sub(relu(x), mul(perChannel, relu(neg(x))));
}

const sigmoidOp = defineOp("Sigmoid", {
  shape: ([x]) => x!.shape,
  grad: (g, y) => [mul(g, mul(y, sub(1, y)))],
  lower: (l, inputs) => l.node("Sigmoid", inputs),
});

/** 1 / (1 + e⁻ˣ) */
export function sigmoid(x: Value): Value {
  return sigmoidOp([x], {});
}

const tanhOp = defineOp("Tanh", {
  shape: ([x]) => x!.shape,
  grad: (g, y) => [mul(g, sub(1, mul(y, y)))],
  lower: (l, inputs) => l.node("Tanh", inputs),
});

/** tanh x */
export function tanh(x: Value): Value {
  return tanhOp([x], {});
}

const softplusOp = defineOp("Softplus", {
  shape: ([x]) => x!.shape,
  grad: (g, y) => [mul(g, sigmoid(y.inputs[0]!))],
  lower: (l, inputs) => l.node("Softplus", inputs),
});

/** ln(1 + eˣ) */
export function softplus(x: Value): Value {
  return softplusOp([x], {});
}

/** exp(−s²) / √area */
const bell = (s: Value, area: number) => exp(sub(-Math.log(area) / 2, mul(s, s)));

/** erfc(s) / 2 */
const halfErfcOp = defineOp("HalfErfc", {
  shape: ([s]) => s!.shape,
  grad: (g, y) => [neg(mul(g, bell(y.inputs[0]!, Math.PI)))],
  // erf lies within −1 and 1, where nothing is clamped: one pass over memory in place of two.
  lower: (l, inputs) => l.node("HardSigmoid", [l.node("Erf", inputs)], { alpha: -0.5, beta: 0.5 }),
});

/** Φ(x) + x · φ(x) */
function geluSlope(x: Value): Value {
  const s = mul(x, -Math.SQRT1_2);
  return add(halfErfcOp([s], {}), mul(x, bell(s, 2 * Math.PI)));
}

const geluOp = defineOp("Gelu", {
  shape: ([x]) => x!.shape,
  grad: (g, y) => [mul(g, geluSlope(y.inputs[0]!))],
  // The runtime (1.30) makes one node of these, as long as nothing else reads what lies between: the slope works with −x/√2.
  lower(l, [x]) {
    const erf = l.node("Erf", [l.node("Div", [x!, l.floats([Math.SQRT2])])]);
    return l.node("Mul", [l.node("Mul", [x!, l.floats([0.5])]), l.node("Add", [erf, l.floats([1])])]);
  },
});

/** x · Φ(x), the exact form: x/2 · (1 + erf(x/√2)) */
export function gelu(x: Value): Value {
  return geluOp([x], {});
}

/** x · sigmoid x, the activation of EfficientNet and of squeeze-excite's relatives */
export function silu(x: Value): Value {
  return mul(x, sigmoid(x));
}

const softmaxOp = defineOp("Softmax", {
  shape: ([x]) => x!.shape,
  grad: (g, y) => [mul(y, sub(g, sum(mul(g, y), [-1], true)))],
  lower: (l, inputs) => l.node("Softmax", inputs, { axis: -1 }),
});

/** exp(x) / Σ exp(x) over the last axis */
export function softmax(x: Value): Value {
  return softmaxOp([x], {});
}

const logSoftmaxOp = defineOp("LogSoftmax", {
  shape: ([x]) => x!.shape,
  grad: (g, y) => [sub(g, mul(exp(y), sum(g, [-1], true)))],
  lower: (l, inputs) => l.node("LogSoftmax", inputs, { axis: -1 }),
});

/** x − ln Σ exp(x) over the last axis */
export function logSoftmax(x: Value): Value {
  return logSoftmaxOp([x], {});
}
