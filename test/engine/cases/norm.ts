import { constant } from "../../../src/engine/graph.ts";
import { conv2d } from "../../../src/engine/ops/conv.ts";
import { add, square } from "../../../src/engine/ops/elementwise.ts";
import { concat, reshape } from "../../../src/engine/ops/movement.ts";
import * as ops from "../../../src/engine/ops/norm.ts";
import { tensor } from "../../../src/engine/tensor.ts";
import { type CasesOf, type GradientCase, on, positive } from "../../support/gradient-case.ts";

const {
  batchNormEval,
  batchNormTrain,
  channelAffine,
  groupNorm,
  instanceNorm,
  layerNorm,
  powerIteration,
  spectralNorm,
  standardize,
} = ops;

const c = (...data: number[]) => constant(tensor(data, [data.length]));

// Wide statistics keep the curvature small against a difference's steps.
const train: GradientCase[0] = (x, weight, bias) =>
  batchNormTrain(x!, { weight: weight!, bias: bias!, epsilon: 0.1 }).y;
const statistics: GradientCase[0] = (x) => {
  const { mean, variance } = batchNormTrain(x!, { weight: c(1, 1), bias: c(0, 0) });
  return concat([mean, variance], 0);
};
const evaluated: GradientCase[0] = (x, weight, bias, mean, deviation) =>
  batchNormEval(x!, { weight: weight!, bias: bias! }, mean!, add(square(deviation!), 0.5));
const foldable: GradientCase[0] = (x) =>
  batchNormEval(square(x!), { weight: c(1, 2), bias: c(0.5, -1) }, c(0.1, -0.2), c(0.7, 1.5));

export const norms: CasesOf<typeof ops> = {
  channelAffine: [
    [channelAffine, on([2, 3, 2, 2], [3], [3])],
    [channelAffine, on([4, 3], [3], [3])],
    [channelAffine, on([1, 2, 3], [2], [2])],
    [
      (x) => channelAffine(conv2d(square(x), reshape(c(1, -2, 0.5, 3), [2, 2, 1, 1])), c(2, 3), c(0, 1)),
      on([2, 2, 2, 3]),
    ],
    [
      (x) => channelAffine(conv2d(square(x), constant(tensor([1, -2, 0.5, 3], [2, 2, 1, 1]))), c(2, 3), c(0, 1)),
      on([2, 2, 2, 3]),
    ],
  ],
  batchNormEval: [
    [evaluated, on([2, 3, 2, 2], [3], [3], [3], [3])],
    [evaluated, on([4, 2], [2], [2], [2], [2])],
    [foldable, on([1, 2, 3, 3])],
  ],
  batchNormTrain: [
    [train, on([4, 3, 2, 3], [3], [3])],
    [train, on([6, 2], [2], [2])],
    [train, on([1, 2, 3, 3], [2], [2])],
    [statistics, on([3, 2, 2, 2])],
  ],
  standardize: [
    [(x) => standardize(x, [1, 2], 0.1), on([2, 3, 4])],
    [(x) => standardize(x, [-1], 1e-5), on([3, 6])],
  ],
  groupNorm: [
    [(x, weight, bias) => groupNorm(x, 2, { weight, bias, epsilon: 0.1 }), on([2, 4, 2, 3], [4], [4])],
    [(x, weight, bias) => groupNorm(x, 1, { weight, bias }), on([1, 3, 2, 2], [3], [3])],
    [(x, weight, bias) => groupNorm(x, 2, { weight, bias }), on([2, 8], [8], [8])],
  ],
  instanceNorm: [
    [(x, weight, bias) => instanceNorm(x, { weight, bias, epsilon: 0.1 }), on([2, 3, 3, 2], [3], [3])],
    [(x, weight, bias) => instanceNorm(x, { weight, bias }), on([1, 2, 4, 4], [2], [2])],
  ],
  layerNorm: [
    [(x, weight, bias) => layerNorm(x, { weight, bias, epsilon: 0.1 }), on([2, 3, 4], [4], [4])],
    [(x, weight, bias) => layerNorm(x, { weight, bias }), on([1, 8], [8], [8])],
  ],
  powerIteration: { noGradient: (x) => powerIteration(x, constant(tensor([1, 2], [2, 1]))).v },
  spectralNorm: [
    // Positive numbers keep σ away from zero.
    [spectralNorm, on([3, 4], [3, 1], [4, 1]), positive],
    [spectralNorm, on([1, 2], [1, 1], [2, 1]), positive],
  ],
};
