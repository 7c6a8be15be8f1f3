import { constant, type Value } from "../engine/graph.ts";
import { relu } from "../engine/ops/activation.ts";
import { add, div, exp, mul, sqrt, square, sub } from "../engine/ops/elementwise.ts";
import { inverse, matmul } from "../engine/ops/linear.ts";
import { flatten, transpose } from "../engine/ops/movement.ts";
import { mean, norm2, sum } from "../engine/ops/reduce.ts";
import { diagonal } from "../engine/tensor.ts";

// How much two sets of paired samples depend on each other, from the kernel matrices [m, m] of m samples, as in the code of
// Peng et al. (KDD 2022). Differentiable: made of ops.

/** Kernel matrices of samples [m, …], each flattened to `dim` numbers. */
export const kernels = {
  /** exp(−‖a − b‖² / (2σ²·dim)) */
  gaussian: (x: Value, sigma: number) =>
    exp(mul(squaredDistances(x), -1 / (2 * sigma * sigma * (flatten(x).shape[1] ?? 1)))),
  /** a·b */
  linear: (x: Value) => matmul(flatten(x), transpose(flatten(x))),
  /** Inverse multiquadric: 1 / √(‖a − b‖² + 1) */
  imq: (x: Value) => div(1, sqrt(add(squaredDistances(x), 1))),
} as const;

export type KernelKind = keyof typeof kernels;

/** The normalised Hilbert–Schmidt independence criterion: 0 for a constant, at most m − 1. */
export function hsic(k: Value, l: Value, epsilon: number): Value {
  return sum(mul(canonical(k, epsilon), canonical(l, epsilon)));
}

/** The constrained covariance √‖HKH·HLH‖ / m, with the Frobenius norm of the released code for the norm. */
export function coco(k: Value, l: Value): Value {
  const product = matmul(centred(k), centred(l));
  // The number under the root keeps the gradient finite where one side is constant.
  return div(sqrt(norm2(product, [0, 1], 1e-12)), product.shape[0]!);
}

/** ‖a − b‖² of all pairs; the mean, which no distance depends on, is taken off first, so that less cancels. */
function squaredDistances(x: Value): Value {
  const rows = flatten(x);
  const moved = sub(rows, mean(rows, [0], true));
  const lengths = sum(square(moved), [1], true);
  const products = matmul(moved, transpose(moved));
  return relu(sub(add(lengths, transpose(lengths)), mul(products, 2)));
}

/** H·K·H with H = I − 11ᵀ/m */
function centred(k: Value): Value {
  const columns = sub(k, mean(k, [0], true));
  return sub(columns, mean(columns, [1], true));
}

/**
 * R = HKH·(HKH + εmI)⁻¹, written I − εm·(HKH + εmI)⁻¹. The published form, KH·(KH + εmI)⁻¹, has no symmetric matrix; tr(R_x·R_y) is
 * the same with either, since H·H = H.
 */
function canonical(k: Value, epsilon: number): Value {
  const m = k.shape[0]!;
  const times = (value: number) => constant(diagonal(m, value));
  const ridge = epsilon * m;
  return sub(times(1), mul(inverse(add(centred(k), times(ridge))), ridge));
}
