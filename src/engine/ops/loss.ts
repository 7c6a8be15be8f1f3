import type { Value } from "../graph.ts";
import { logSoftmax } from "./activation.ts";
import { abs, add, div, exp, greater, log, maximum, mul, neg, sqrt, square, sub, where } from "./elementwise.ts";
import { max, mean, sum } from "./reduce.ts";

/** −Σ target · log softmax(logits), a row: logits and target [N, K], target rows sum to 1; gives [N] */
export function crossEntropyRows(logits: Value, target: Value): Value {
  return neg(sum(mul(target, logSoftmax(logits)), [-1]));
}

/** The mean of `crossEntropyRows` over the batch: PyTorch's `cross_entropy` with soft (or one-hot) targets */
export function crossEntropy(logits: Value, target: Value): Value {
  return mean(crossEntropyRows(logits, target));
}

/** max over k ≠ y of l_k − l_y, a row: logits [N, K], one-hot classes [N, K]; gives [N] (Yuan et al., AAAI 2023, eq. 6) */
export function maxMarginRows(logits: Value, wanted: Value): Value {
  const others = where(greater(wanted, 0.5), Number.NEGATIVE_INFINITY, logits);
  return sub(max(others, [-1]), sum(mul(logits, wanted), [-1]));
}

/** How near to the centre, 0, the one-hot side stands (released code); away from the rim, where every distance is infinite. */
const POINCARE_SHIFT = 1e-4;
/** Below this the rim is: 1 − ‖u‖² keeps no digits in float32. */
const POINCARE_RIM = 1e-5;
/** Keeps the slope of arcosh finite at 1, and a row of zeros from being divided by zero. */
const POINCARE_CENTRE = 1e-12;

/**
 * The distance in the Poincaré ball between logits over their sum of absolutes, u = l/‖l‖₁, and the class as a one-hot row v less a
 * little: arcosh(1 + 2‖u − v‖² / ((1 − ‖u‖²)(1 − ‖v‖²))), a row: logits [N, K], one-hot classes [N, K]; gives [N] (Struppek et al.,
 * ICML 2022, eq. 3). Finite, with finite gradients, everywhere.
 */
export function poincareRows(logits: Value, wanted: Value): Value {
  const u = div(logits, maximum(sum(abs(logits), [-1], true), POINCARE_CENTRE));
  const v = maximum(sub(wanted, POINCARE_SHIFT), 0);
  const room = maximum(sub(1, sum(square(u), [-1])), POINCARE_RIM);
  // A one-hot row's own room is known to more digits than float32 would leave of it.
  const scale = 2 / (1 - (1 - POINCARE_SHIFT) ** 2);
  const excess = div(mul(sum(square(sub(u, v)), [-1]), scale), room);
  // arcosh(1 + d) = ln(1 + d + √(d(d + 2)))
  return log(add(add(excess, 1), sqrt(add(mul(excess, add(excess, 2)), POINCARE_CENTRE))));
}

/** The mean entropy −Σ p log p of softmax(logits) over the batch */
export function meanEntropy(logits: Value): Value {
  const logp = logSoftmax(logits);
  return neg(mean(sum(mul(exp(logp), logp), [-1])));
}

/** The mean squared difference */
export function meanSquaredError(a: Value, b: Value): Value {
  return mean(square(sub(a, b)));
}

/** Σ of terms with weights, skipping weights of 0 */
export function weightedSum(terms: readonly (readonly [number, Value])[]): Value {
  return terms
    .filter(([weight]) => weight !== 0)
    .map(([weight, term]) => mul(term, weight))
    .reduce((a, b) => add(a, b));
}
