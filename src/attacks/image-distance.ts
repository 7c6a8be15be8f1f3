import type { Value } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { add, div, exp, maximum, mul, neg, sqrt, square, stopGradient, sub } from "../engine/ops/elementwise.ts";
import { matmul } from "../engine/ops/linear.ts";
import { concat, flatten, sliceAxis, transpose } from "../engine/ops/movement.ts";
import { avgPool2d } from "../engine/ops/pool.ts";
import { mean, sum } from "../engine/ops/reduce.ts";

/** Sides at which images are compared: their own, half and a quarter of it. */
const LEVELS = 3;

/**
 * One vector an image, [N, …], whose squared distances are the mean over three sizes of the mean squared difference of pixels in [−1, 1].
 * @param images [N, C, H, W] in [0, 1]
 */
export function pyramid(images: Value): Value {
  const levels: Value[] = [];
  let level = images;
  for (let i = 0; i < LEVELS; i++) {
    if (i > 0) level = avgPool2d(level, { kernel: 2, stride: 2 });
    const flat = flatten(level);
    levels.push(mul(flat, 2 / Math.sqrt(LEVELS * flat.shape[1]!)));
  }
  return concat(levels, 1);
}

/** Distances between as many made images as wanted ones, both as rows [n, d]. */
export const imageDistances = {
  /** Each made one to its own wanted one: the mean of squared distances. */
  pointwise: (made, wanted) => mean(sum(square(sub(made, wanted)), [-1])),
  mmd: maximumMeanDiscrepancy,
  ct: conditionalTransport,
} as const satisfies Record<string, (made: Value, wanted: Value) => Value>;

export type ImageDistance = keyof typeof imageDistances;

/** Bandwidths of the kernels, from a quarter of the mean squared distance to four times it. */
const BANDWIDTHS = [0.25, 0.5, 1, 2, 4];
/** Keeps the bandwidth of equal images from zero. */
const EPSILON = 1e-12;

/** The squared maximum mean discrepancy by a sum of Gaussian kernels (PPDG-MI's released code); rows [n, d] and [m, d]. */
export function maximumMeanDiscrepancy(made: Value, wanted: Value): Value {
  const [n, m] = [made.shape[0]!, wanted.shape[0]!];
  const all = concat([made, wanted], 0);
  const energies = sum(square(all), [-1], true);
  const gram = matmul(all, transpose(all));
  const distances = maximum(sub(add(energies, transpose(energies)), mul(gram, 2)), 0);
  const count = n + m;
  const bandwidth = add(stopGradient(mul(sum(distances), 1 / (count * count - count))), EPSILON);
  const kernel = BANDWIDTHS.map((times) => exp(neg(div(distances, mul(bandwidth, times))))).reduce((a, b) => add(a, b));
  const block = (from: number, to: number, left: number, right: number) =>
    mean(sliceAxis(sliceAxis(kernel, 0, from, to), 1, left, right));
  return add(sub(block(0, n, 0, n), mul(block(0, n, n, count), 2)), block(n, count, n, count));
}

/** Conditional transport at cosine costs, half of it each way (Zheng & Zhou 2021; PPDG-MI's released code); rows [n, d] and [m, d]. */
export function conditionalTransport(made: Value, wanted: Value): Value {
  const similar = matmul(wanted, transpose(made));
  const cost = sub(1, matmul(unit(wanted), transpose(unit(made))));
  const way = (plan: Value, costs: Value) => mean(sum(mul(plan, costs), [-1]));
  const forth = way(softmax(similar), cost);
  const back = way(softmax(transpose(similar)), transpose(cost));
  return mul(add(forth, back), 0.5);
}

/** Rows at length 1 */
const unit = (x: Value): Value => div(x, sqrt(add(sum(square(x), [-1], true), EPSILON)));
