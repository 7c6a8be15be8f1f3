import { constant, type Value } from "../engine/graph.ts";
import { abs, exp, mul, neg, sub } from "../engine/ops/elementwise.ts";
import { matmul } from "../engine/ops/linear.ts";
import { concat, reshape } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { tensor } from "../engine/tensor.ts";
import { normalInitial } from "../models/initial.ts";
import type { Layer } from "../models/layer.ts";

/**
 * Minibatch discrimination (Salimans et al. 2016, section 3.2): f [N, d] gains `kernels` numbers that say how close the rest of the
 * batch is, o_b(i) = Σ_{j≠i} exp(−‖M_i,b − M_j,b‖₁) with M = f·T, T [d, kernels · rows] ~ N(0, 1). Gives [N, d + kernels].
 */
export function minibatchDiscrimination(path: string, from: number, kernels: number, rows: number): Layer {
  const name = `${path}.T`;
  return {
    weights: [{ name, shape: [from, kernels * rows], kind: "weight", initial: normalInitial(1) }],
    apply(f, context) {
      const n = f.shape[0]!;
      const m = reshape(matmul(f, context.weight(name)), [n, kernels, rows]);
      return concat([f, closeness(m)], 1);
    },
  };
}

/** [N, kernels, rows] to [N, kernels]; an image's distance to itself is left out */
function closeness(m: Value): Value {
  const [n, kernels, rows] = m.shape as [number, number, number];
  const distance = sum(abs(sub(reshape(m, [n, 1, kernels, rows]), reshape(m, [1, n, kernels, rows]))), [3]);
  const others = Float32Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) === i % n ? 0 : 1));
  return sum(mul(exp(neg(distance)), constant(tensor(others, [n, n, 1]), "others")), [1]);
}
