import type { Value } from "../graph.ts";
import { logSoftmax } from "./activation.ts";
import { add, exp, mul, neg, square, sub } from "./elementwise.ts";
import { mean, sum } from "./reduce.ts";

/** −Σ target · log softmax(logits), a row: logits and target [N, K], target rows sum to 1; gives [N] */
export function crossEntropyRows(logits: Value, target: Value): Value {
  return neg(sum(mul(target, logSoftmax(logits)), [-1]));
}

/** The mean of `crossEntropyRows` over the batch: PyTorch's `cross_entropy` with soft (or one-hot) targets */
export function crossEntropy(logits: Value, target: Value): Value {
  return mean(crossEntropyRows(logits, target));
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
