import { defineOp, type Value } from "../graph.ts";
import { broadcastShapes, sizeOf } from "../shape.ts";
import { diagonal } from "../tensor.ts";
import { softmax } from "./activation.ts";
import { add, mul, neg } from "./elementwise.ts";
import { reshape, transpose } from "./movement.ts";

/** […, k] → [rows, k] */
function asRows(v: Value): Value {
  const length = v.shape.at(-1)!;
  return v.shape.length === 2 ? v : reshape(v, [sizeOf(v.shape) / length, length]);
}

const matmulOp = defineOp("MatMul", {
  shape: ([a, b], _, fail) => {
    const [m, k] = a!.shape.slice(-2);
    const [k2, n] = b!.shape.slice(-2);
    if (a!.shape.length < 2 || b!.shape.length < 2 || k !== k2) fail("[…, m, k] · […, k, n] is needed");
    const batch = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2)) ?? fail("leading axes must broadcast");
    return [...batch, m!, n!];
  },
  grad: (g, y) => {
    const [a, b] = y.inputs as [Value, Value];
    // A matrix that all leading axes share gathers its gradient from all of their rows in one product, not from one each that are then added.
    const [rows, gRows] = b.shape.length === 2 ? [asRows(a), asRows(g)] : [a, g];
    return [matmul(g, transpose(b)), matmul(transpose(rows), gRows)];
  },
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

/** ONNX's element type of double precision. */
const DOUBLE = 11;
const FLOAT = 1;

/** Each step squares the error, so these do for condition numbers up to 10⁸; float32 holds no matrix that is worse. */
const NEWTON_STEPS = 32;

const inverseOp = defineOp("Inverse", {
  shape: ([a], _, fail) => {
    const [n, columns] = a!.shape.slice(-2);
    return a!.shape.length >= 2 && n === columns ? a!.shape : fail("square matrices […, n, n] are needed");
  },
  grad: (g, y) => {
    const turned = transpose(y);
    return [neg(matmul(matmul(turned, g), turned))];
  },
  // ONNX has no inverse. Newton's iteration X ← X·(2I − A·X) (Schulz 1933) is matrix products alone; in double precision it is as
  // exact as a factorisation. With A divided by its Frobenius norm, X = I is a start from which it converges.
  lower(l, [input], y) {
    const n = y.shape.at(-1)!;
    const a = l.node("Cast", [input!], { to: DOUBLE });
    const squares = l.node("ReduceSum", [l.node("Mul", [a, a]), l.int64s([-2, -1])], { keepdims: 1 });
    const norm = l.node("Sqrt", [squares]);
    const scaled = l.node("Div", [a, norm]);
    const twice = l.node("Cast", [l.constant(diagonal(n, 2), `diagonal${n}`)], { to: DOUBLE });
    let inverse = l.node("Sub", [twice, scaled]);
    for (let step = 1; step < NEWTON_STEPS; step++) {
      inverse = l.node("MatMul", [inverse, l.node("Sub", [twice, l.node("MatMul", [scaled, inverse])])]);
    }
    return l.node("Cast", [l.node("Div", [inverse, norm])], { to: FLOAT });
  },
});

/** A⁻¹ of symmetric positive definite matrices [..., n, n]; d = −A⁻ᵀ·g·A⁻ᵀ */
export function inverse(a: Value): Value {
  return inverseOp([a], {});
}

/** softmax(q·kᵀ / √d) · v: q, k and v […, tokens, d] (Vaswani et al. 2017, eq. 1) */
export function attention(q: Value, k: Value, v: Value): Value {
  const scores = mul(matmul(q, transpose(k)), 1 / Math.sqrt(q.shape.at(-1)!));
  return matmul(softmax(scores), v);
}
