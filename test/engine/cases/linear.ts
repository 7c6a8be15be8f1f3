import * as ops from "../../../src/engine/ops/linear.ts";
import { type CasesOf, on } from "../../support/gradient-case.ts";

const { attention, linear, matmul } = ops;

export const linearAlgebra: CasesOf<typeof ops> = {
  matmul: [
    [matmul, on([2, 3], [3, 4])],
    [matmul, on([2, 2, 3], [2, 3, 2])],
    [matmul, on([2, 3], [4, 3, 2])],
    [matmul, on([2, 1, 2, 3], [3, 3, 1])],
    [matmul, on([1, 1], [1, 1])],
    [(x) => matmul(x, x), on([3, 3])],
  ],
  linear: [
    [(x, w, b) => linear(x, w, b), on([4, 3], [2, 3], [2])],
    [(x, w) => linear(x, w), on([1, 3], [5, 3])],
    [(x, w, b) => linear(x, w, b), on([2, 3, 4], [1, 4], [1])],
  ],
  attention: [
    [attention, on([2, 3, 4], [2, 3, 4], [2, 3, 4])],
    [attention, on([2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 1])],
    [attention, on([1, 2], [3, 2], [3, 3])],
  ],
};
