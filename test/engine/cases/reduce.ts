import * as ops from "../../../src/engine/ops/reduce.ts";
import { type CasesOf, distinct, type GradientCase, on } from "../../support/gradient-case.ts";

const { logSumExp, norm2 } = ops;

type Reduction = typeof ops.sum;

const overAxes = (f: Reduction, options: GradientCase[2] = {}): GradientCase[] => [
  [(x) => f(x), on([2, 3]), options],
  [(x) => f(x), on([]), options],
  [(x) => f(x, [1]), on([2, 3, 2]), options],
  [(x) => f(x, [0, -1], true), on([2, 3, 2]), options],
  [(x) => f(x, [1, 2]), on([3, 1, 1]), options],
  [(x) => f(x, [-2]), on([1, 4, 2]), options],
  [(x) => f(x, []), on([2, 3]), options],
];

export const reduce: CasesOf<typeof ops> = {
  sum: overAxes(ops.sum),
  mean: overAxes(ops.mean),
  max: overAxes(ops.max, distinct),
  logSumExp: [
    [(x) => logSumExp(x), on([3, 4])],
    [(x) => logSumExp(x, 0, true), on([3, 4])],
    [(x) => logSumExp(x, 1), on([2, 3, 2])],
    [(x) => logSumExp(x), on([2, 1])],
  ],
  norm2: [
    [(x) => norm2(x, [1]), on([3, 4])],
    [(x) => norm2(x, [0, 2], 1e-3), on([2, 3, 2])],
    [(x) => norm2(x, [1, 2, 3]), on([2, 3, 4, 4])],
  ],
  argMax: { noGradient: (x) => ops.argMax(x) },
};
