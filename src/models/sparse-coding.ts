import type { Value } from "../engine/graph.ts";
import { relu } from "../engine/ops/activation.ts";
import { conv2d, convTranspose2d } from "../engine/ops/conv.ts";
import { abs, add, div, mul, sqrt, stopGradient, sub } from "../engine/ops/elementwise.ts";
import { standardize } from "../engine/ops/norm.ts";
import { max, sum } from "../engine/ops/reduce.ts";
import { normalInitial } from "./initial.ts";
import type { Layer } from "./layer.ts";

/** How an image is taken apart. */
export interface SparseCoding {
  /** Features of the dictionary. */
  readonly features: number;
  /** Side of a feature, odd. */
  readonly kernel: number;
  /** λ, what a coefficient costs. */
  readonly lambda: number;
  /** Steps towards the code. */
  readonly iterations: number;
}

/** Each image of a batch [N, C, H, W] with mean 0 and variance 1. */
export const standardized = (x: Value): Value => standardize(x, [1, 2, 3], 1e-8);

/**
 * The sparse code of images [N, C, H, W]: non-negative a [N, F, H, W] towards the minimum of ½‖x − Φa‖² + λ‖a‖₁, Φa being the sum of
 * features [F, C, k, k] of unit length, each at every place. The minimum is that of the locally competitive algorithm with a soft
 * threshold (Rozell et al. 2008); FISTA (Beck & Teboulle 2009) comes near it in tens of steps where that takes hundreds, and gradients
 * go back through all of them.
 */
export function sparseCode(x: Value, dictionary: Value, { kernel, lambda, iterations }: SparseCoding): Value {
  const lengths = sqrt(add(sum(mul(dictionary, dictionary), [1, 2, 3], true), 1e-12));
  const features = div(dictionary, lengths);
  const window = { padding: (kernel - 1) / 2 };
  // How much features overlap at all shifts. The largest sum of a row bounds the norm of ΦᵀΦ, so its inverse is a safe stride.
  const overlaps = sum(abs(conv2d(features, features, { padding: kernel - 1 })), [1, 2, 3]);
  const stride = stopGradient(div(1, max(overlaps)));
  const cost = mul(stride, lambda);
  const step = (at: Value) => {
    const error = sub(convTranspose2d(at, features, window), x);
    return relu(sub(sub(at, mul(conv2d(error, features, window), stride)), cost));
  };
  let code = relu(sub(mul(conv2d(x, features, window), stride), cost));
  let ahead = code;
  let t = 1;
  for (let i = 1; i < iterations; i++) {
    const next = step(ahead);
    const later = (1 + Math.sqrt(1 + 4 * t * t)) / 2;
    ahead = add(next, mul(sub(next, code), (t - 1) / later));
    [code, t] = [next, later];
  }
  return code;
}

/** A sparse-coding layer: images or maps of `from` channels, standardised, to their code. The dictionary trains like other weights. */
export function sparseCoding(path: string, from: number, coding: SparseCoding): Layer {
  const name = `${path}.dictionary`;
  const { features, kernel } = coding;
  return {
    weights: [{ name, shape: [features, from, kernel, kernel], kind: "weight", initial: normalInitial(1) }],
    apply(x, context) {
      const code = sparseCode(standardized(x), context.weight(name), coding);
      context.observe(`${path}.code`, code);
      return code;
    },
  };
}
