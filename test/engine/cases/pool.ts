import { square } from "../../../src/engine/ops/elementwise.ts";
import * as ops from "../../../src/engine/ops/pool.ts";
import * as resizing from "../../../src/engine/ops/resize.ts";
import { type CasesOf, distinct, type GradientCase, on } from "../../support/gradient-case.ts";

const { adaptiveAvgPool2d, avgPool2d, globalAvgPool, maxPool2d, upsampleNearest } = ops;
const { resize } = resizing;

const max = (options: ops.PoolOptions, ...shape: number[]): GradientCase => [
  (x) => maxPool2d(x, options),
  [shape],
  distinct,
];
const average = (options: ops.PoolOptions, ...shape: number[]): GradientCase => [
  (x) => square(avgPool2d(x, options)),
  [shape],
];

export const pooling: CasesOf<typeof ops> = {
  maxPool2d: [
    max({ kernel: 2 }, 2, 3, 4, 6),
    max({ kernel: 3 }, 1, 2, 6, 3),
    max({ kernel: 2 }, 2, 1, 5, 4),
    max({ kernel: 3, stride: 2, padding: 1 }, 2, 2, 6, 7),
    max({ kernel: 3, stride: 1 }, 1, 2, 5, 4),
    max({ kernel: 2, stride: 3 }, 1, 1, 8, 6),
    max({ kernel: 4, stride: 2, padding: 2 }, 1, 2, 5, 5),
    max({ kernel: 1 }, 1, 2, 3, 3),
    [(x) => square(maxPool2d(x, { kernel: 2, stride: 1 })), on([1, 1, 3, 3]), distinct],
  ],
  avgPool2d: [
    average({ kernel: 2 }, 2, 3, 4, 6),
    average({ kernel: 2 }, 2, 1, 5, 4),
    average({ kernel: 3, stride: 2, padding: 1 }, 2, 2, 6, 7),
    average({ kernel: 3, stride: 1 }, 1, 2, 5, 4),
    average({ kernel: 2, stride: 3 }, 1, 1, 8, 6),
  ],
  globalAvgPool: [
    [(x) => square(globalAvgPool(x)), on([2, 3, 4, 5])],
    [(x) => square(globalAvgPool(x)), on([1, 2, 1, 1])],
  ],
  adaptiveAvgPool2d: [
    [(x) => square(adaptiveAvgPool2d(x, 3)), on([2, 2, 7, 5])],
    [(x) => square(adaptiveAvgPool2d(x, 2)), on([1, 3, 6, 6])],
    [(x) => square(adaptiveAvgPool2d(x, 4)), on([1, 2, 3, 3])],
    [(x) => square(adaptiveAvgPool2d(x, 3)), on([1, 2, 6, 9])],
    [(x) => square(adaptiveAvgPool2d(x, 1)), on([2, 1, 4, 3])],
    [(x) => square(adaptiveAvgPool2d(x, 3)), on([2, 1, 3, 3])],
  ],
  upsampleNearest: [
    [(x) => square(upsampleNearest(x, 2)), on([2, 3, 2, 3])],
    [(x) => square(upsampleNearest(x, 3)), on([1, 1, 1, 2])],
  ],
};

export const resizes: CasesOf<typeof resizing> = {
  resize: [
    [(x) => square(resize(x, 6, 8, "nearest")), on([2, 2, 3, 4])],
    [(x) => square(resize(x, 5, 7, "nearest")), on([2, 1, 3, 4])],
    [(x) => square(resize(x, 2, 3, "nearest")), on([1, 2, 5, 4])],
    [(x) => square(resize(x, 6, 8, "bilinear")), on([2, 2, 3, 4])],
    [(x) => square(resize(x, 2, 3, "bilinear")), on([1, 2, 5, 7])],
    [(x) => square(resize(x, 5, 2, "bilinear")), on([1, 2, 3, 4])],
    [(x) => square(resize(x, 3, 5, "bilinear")), on([2, 1, 3, 2])],
    [(x) => square(resize(x, 4, 4, "bilinear")), on([1, 1, 1, 1])],
    [(x) => square(resize(x, 3, 3, "bilinear")), on([1, 2, 3, 3])],
    [(x) => square(resize(x, 2, 3, "antialiased")), on([1, 2, 5, 7])],
  ],
};
