import * as ops from "../../../src/engine/ops/linear.ts";
import type { CasesOf } from "../../support/gradient-case.ts";

const { attention, linear, matmul } = ops;

export const linearAlgebra: CasesOf<typeof ops> = {
  matmul: [
    [
      matmul,
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      matmul,
      [
        [2, 2, 3],
        [2, 3, 2],
      ],
    ],
    [
      matmul,
      [
        [2, 3],
        [4, 3, 2],
      ],
    ],
    [
      matmul,
      [
        [2, 1, 2, 3],
        [3, 3, 1],
      ],
    ],
    [
      matmul,
      [
        [1, 1],
        [1, 1],
      ],
    ],
    [(x) => matmul(x, x), [[3, 3]]],
  ],
  linear: [
    [(x, w, b) => linear(x, w, b), [[4, 3], [2, 3], [2]]],
    [
      (x, w) => linear(x, w),
      [
        [1, 3],
        [5, 3],
      ],
    ],
    [(x, w, b) => linear(x, w, b), [[2, 3, 4], [1, 4], [1]]],
  ],
  attention: [
    [
      attention,
      [
        [2, 3, 4],
        [2, 3, 4],
        [2, 3, 4],
      ],
    ],
    [
      attention,
      [
        [2, 2, 3, 4],
        [2, 2, 5, 4],
        [2, 2, 5, 1],
      ],
    ],
    [
      attention,
      [
        [1, 2],
        [3, 2],
        [3, 3],
      ],
    ],
  ],
};
