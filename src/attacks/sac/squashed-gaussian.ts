import type { Value } from "../../engine/graph.ts";
import { softplus, tanh } from "../../engine/ops/activation.ts";
import { add, exp, mul, neg, square, sub } from "../../engine/ops/elementwise.ts";
import { sum } from "../../engine/ops/reduce.ts";

/** A draw of a Gaussian that tanh brings into (−1, 1), and its log density. */
export interface SquashedDraw {
  /** tanh u, the shape of the mean. */
  readonly action: Value;
  /** Σ over the last axis of log π, without that axis. */
  readonly logProbability: Value;
}

/**
 * a = tanh u with u = μ + σ·ε, and log π(a) = Σ log N(u; μ, σ) − log(1 − a²) (Haarnoja et al., Soft Actor-Critic Algorithms and
 * Applications, 2018, appendix C). log(1 − tanh² u) is taken as 2·(ln 2 − u − softplus(−2u)), which stays exact where a rounds to ±1.
 * @param mean [..., d]
 * @param logDeviation log σ, the same shape
 * @param noise ε, standard normal numbers of the same shape
 */
export function squashedGaussian(mean: Value, logDeviation: Value, noise: Value): SquashedDraw {
  const u = add(mean, mul(exp(logDeviation), noise));
  // (u − μ)/σ is ε, whatever the weights are, so that no gradient flows through it.
  const gaussian = sub(mul(square(noise), -0.5), add(logDeviation, 0.5 * Math.log(2 * Math.PI)));
  const squeezed = mul(sub(sub(Math.LN2, u), softplus(mul(u, -2))), 2);
  return { action: tanh(u), logProbability: sum(add(gaussian, neg(squeezed)), [-1]) };
}
