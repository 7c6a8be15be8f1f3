import { constant, type Value } from "../../../src/engine/graph.ts";
import { add, mul } from "../../../src/engine/ops/elementwise.ts";
import * as ops from "../../../src/engine/ops/linear.ts";
import { transpose } from "../../../src/engine/ops/movement.ts";
import { tensor } from "../../../src/engine/tensor.ts";
import { type CasesOf, on } from "../../support/gradient-case.ts";

const { attention, inverse, linear, matmul } = ops;

/** x·xᵀ + 2I: symmetric and positive definite, whatever x. */
function definite(x: Value): Value {
  const n = x.shape.at(-2)!;
  const diagonal = Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 2 : 0));
  return add(matmul(x, transpose(x)), constant(tensor(diagonal, [n, n])));
}

export const linearAlgebra: CasesOf<typeof ops> = {
  matmul: [
    [matmul, on([2, 3], [3, 4])],
    [matmul, on([2, 2, 3], [2, 3, 2])],
    [matmul, on([2, 3], [4, 3, 2])],
    [matmul, on([2, 1, 2, 3], [3, 3, 1])],
    [matmul, on([1, 1], [1, 1])],
    [(x) => matmul(x, x), on([3, 3])],
  ],
  inverse: [
    [(x) => inverse(definite(x)), on([3, 3])],
    [(x) => inverse(definite(x)), on([2, 2, 3])],
    [(x) => inverse(add(mul(x, x), 1)), on([1, 1])],
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
