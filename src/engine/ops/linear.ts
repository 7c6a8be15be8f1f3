import { defineOp, type Value } from "../graph.ts";
import { broadcastShapes } from "../shape.ts";
import { softmax } from "./activation.ts";
import { add, mul } from "./elementwise.ts";
import { transpose } from "./movement.ts";

const matmulOp = defineOp("MatMul", {
  shape: ([a, b], _, fail) => {
    const [m, k] = a!.shape.slice(-2);
    const [k2, n] = b!.shape.slice(-2);
    if (a!.shape.length < 2 || b!.shape.length < 2 || k !== k2) fail("[…, m, k] · […, k, n] is needed");
    const batch = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2)) ?? fail("leading axes must broadcast");
    return [...batch, m!, n!];
  },
  grad: (g, y) => [matmul(g, transpose(y.inputs[1]!)), matmul(transpose(y.inputs[0]!), g)],
  lower: (l, inputs) => l.node("MatMul", inputs),
});

/** a · b over the last two axes; leading axes broadcast */
export function matmul(a: Value, b: Value): Value {
  return matmulOp([a, b], {});
}

/** x · weightᵀ + bias: x […, in], weight [out, in] as PyTorch has it, bias [out] */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  const y = matmul(x, transpose(weight));
  return bias === undefined ? y : add(y, bias);
}

/** softmax(q·kᵀ / √d) · v: q, k and v […, tokens, d] (Vaswani et al. 2017, eq. 1) */
export function attention(q: Value, k: Value, v: Value): Value {
  const scores = mul(matmul(q, transpose(k)), 1 / Math.sqrt(q.shape.at(-1)!));
  return matmul(softmax(scores), v);
}
