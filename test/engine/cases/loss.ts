import { constant } from "../../../src/engine/graph.ts";
import { softmax } from "../../../src/engine/ops/activation.ts";
import { square } from "../../../src/engine/ops/elementwise.ts";
import * as ops from "../../../src/engine/ops/loss.ts";
import { oneHot } from "../../../src/engine/ops/movement.ts";
import { indexTensor } from "../../../src/engine/tensor.ts";
import { awayFromZero, type CasesOf, distinct, on, positive } from "../../support/gradient-case.ts";

export const loss: CasesOf<typeof ops> = {
  crossEntropyRows: [
    [(x, t) => ops.crossEntropyRows(x, softmax(t)), on([3, 4], [3, 4])],
    [(x, t) => ops.crossEntropyRows(x, softmax(t)), on([2, 5], [5])],
  ],
  crossEntropy: [
    [(x, t) => ops.crossEntropy(x, softmax(t)), on([3, 4], [3, 4])],
    [(x, t) => ops.crossEntropy(x, softmax(t)), on([1, 2], [1, 2])],
  ],
  maxMarginRows: [
    [(x) => ops.maxMarginRows(x, oneHot(constant(indexTensor([3, 0, 1], [3])), 4)), on([3, 4]), distinct],
    [(x) => ops.maxMarginRows(square(x), oneHot(constant(indexTensor([1, 0], [2])), 2)), on([2, 2]), distinct],
  ],
  poincareRows: [
    // Logits that change no sign, and classes that are not the likeliest.
    [(x) => ops.poincareRows(x, oneHot(constant(indexTensor([3, 0, 1], [3])), 4)), on([3, 4]), positive],
    [(x) => ops.poincareRows(x, oneHot(constant(indexTensor([1, 0], [2])), 2)), on([2, 2]), awayFromZero],
  ],
  meanEntropy: [
    [ops.meanEntropy, on([3, 4])],
    [ops.meanEntropy, on([1, 6])],
  ],
  meanSquaredError: [
    [ops.meanSquaredError, on([2, 3], [2, 3])],
    [ops.meanSquaredError, on([2, 1, 3], [2, 1])],
  ],
  weightedSum: [
    [
      (a, b) =>
        ops.weightedSum([
          [2, square(a)],
          [0, b],
          [-0.5, square(b)],
        ]),
      on([2], [2]),
    ],
  ],
};
