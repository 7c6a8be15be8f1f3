import type { Value } from "../graph.ts";
import { logSoftmax } from "./activation.ts";
import { add, exp, greater, mul, neg, square, sub, where } from "./elementwise.ts";
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
