import { square } from "../../../src/engine/ops/elementwise.ts";
import * as ops from "../../../src/engine/ops/window-pool.ts";
import { type CasesOf, distinct, type GradientCase } from "../../support/gradient-case.ts";

const max = (options: Partial<ops.WindowPool> & Pick<ops.WindowPool, "kernel">, ...shape: number[]): GradientCase => [
  (x) => square(ops.windowMaxPool(x, { stride: [1, 1], dilation: [1, 1], ...options })),
  [shape],
  distinct,
];

export const windowPools: CasesOf<typeof ops> = {
  windowMaxPool: [
    max({ kernel: [2, 3], stride: [2, 1] }, 1, 2, 5, 5),
    max({ kernel: [1, 4], stride: [1, 2] }, 2, 1, 1, 8),
    max({ kernel: [2, 2], dilation: [2, 1] }, 1, 2, 5, 3),
    max({ kernel: [3, 2], stride: [2, 3], dilation: [1, 2] }, 1, 1, 6, 7),
  ],
};
