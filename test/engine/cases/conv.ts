import { constant } from "../../../src/engine/graph.ts";
import * as ops from "../../../src/engine/ops/conv.ts";
import { square } from "../../../src/engine/ops/elementwise.ts";
import { random } from "../../../src/engine/random.ts";
import { type Shape, sizeOf } from "../../../src/engine/shape.ts";
import { tensor } from "../../../src/engine/tensor.ts";
import { type CasesOf, type GradientCase, on } from "../../support/gradient-case.ts";

const { conv2d, conv2dWeightGradients, convTranspose2d } = ops;

type Options = Parameters<typeof convTranspose2d>[2];

/** Input, weight and perhaps bias all vary. */
const conv =
  (options: Options = {}): GradientCase[0] =>
  (x, w, b) =>
    conv2d(x!, w!, options, b);

const transposed =
  (options: Options = {}): GradientCase[0] =>
  (x, w, b) =>
    convTranspose2d(x!, w!, options, b);

/** The weight is a constant, as in a frozen model; behind a square, so that the second order has something to find. */
const fixed = (f: typeof conv, weight: Shape, options: Options = {}): GradientCase[0] => {
  const w = constant(tensor(random(3, "kernel").normals(sizeOf(weight)), weight), "w");
  return (x) => f(options)(square(x!), w);
};

// Fewer than 16 input channels, several groups, or maps of 1024 pixels and more: the weight's gradient is a product an image.
const perImage: GradientCase[] = [
  [conv(), on([2, 3, 5, 4], [4, 3, 3, 3])],
  [conv(), on([2, 3, 5, 4], [4, 3, 3, 3], [4])],
  [conv({ padding: 1 }), on([1, 2, 4, 4], [3, 2, 3, 3])],
  [conv({ stride: 2, padding: 1 }), on([2, 3, 7, 6], [4, 3, 3, 3])],
  [conv({ stride: 2 }), on([2, 2, 6, 5], [3, 2, 1, 1])],
  [conv({ stride: 3, padding: 2 }), on([1, 2, 8, 9], [2, 2, 5, 5])],
  [conv({ stride: [1, 2], padding: [2, 0] }), on([2, 2, 4, 6], [3, 2, 3, 2])],
  [conv({ dilation: 2, padding: 2 }), on([2, 2, 6, 6], [2, 2, 3, 3])],
  [conv({ dilation: [1, 2], stride: 2 }), on([1, 3, 7, 8], [2, 3, 2, 3])],
  [conv({ padding: 3 }), on([1, 1, 3, 3], [2, 1, 2, 2])],
  [conv({ padding: 1 }), on([2, 2, 3, 3], [3, 2, 1, 1])],
  [conv({ groups: 2, padding: 1 }), on([2, 4, 4, 5], [6, 2, 3, 3], [6])],
  [conv({ groups: 4, stride: 2 }), on([2, 4, 5, 5], [4, 1, 2, 2])],
  [conv({ groups: 3, dilation: 2 }), on([1, 3, 6, 5], [6, 1, 2, 2])],
  [conv(), on([3, 2, 4, 4], [5, 2, 4, 4])],
  [conv({ padding: 1 }), on([1, 16, 32, 32], [2, 16, 3, 3])],
];

// At least 16 channels on a small map: one product for all images, channels last.
const channelsLast: GradientCase[] = [
  [conv({ padding: 1 }), on([2, 16, 4, 4], [3, 16, 3, 3])],
  [conv({ padding: [1, 0], stride: 2 }), on([2, 16, 5, 6], [2, 16, 3, 2], [2])],
  [conv(), on([3, 17, 3, 2], [4, 17, 1, 1])],
  [conv({ stride: 2 }), on([1, 16, 5, 4], [2, 16, 1, 1])],
  [conv({ dilation: [2, 1], padding: 2 }), on([1, 16, 4, 3], [2, 16, 2, 3])],
  [conv({ padding: 1 }), on([2, 16, 2, 2], [2, 16, 1, 1])],
];

// With stride 1 a kernel is turned round for the input's gradient, before the run if it is fixed; a fixed one whose stride multiplies
// the map exactly is split by position within the stride, aligned or whole, whichever multiplies less; the others are left to ConvTranspose.
const constantWeight: GradientCase[] = [
  [fixed(conv, [4, 3, 3, 3]), on([2, 3, 5, 4])],
  [fixed(conv, [4, 3, 3, 2], { padding: [1, 0] }), on([1, 3, 4, 5])],
  [fixed(conv, [2, 2, 3, 3], { padding: 2, dilation: 2 }), on([2, 2, 6, 5])],
  [fixed(conv, [5, 2, 1, 1]), on([2, 2, 3, 3])],
  [fixed(conv, [2, 2, 2, 2], { padding: 2 }), on([1, 2, 3, 4])],
  [fixed(conv, [4, 1, 3, 3], { padding: 1, groups: 2 }), on([2, 2, 4, 4])],
  [fixed(conv, [4, 3, 3, 3], { stride: 2, padding: 1 }), on([2, 3, 7, 6])],
  [fixed(conv, [4, 3, 3, 3], { stride: 2, padding: 1 }), on([2, 3, 8, 6])],
  [fixed(conv, [4, 3, 4, 4], { stride: 2, padding: 1 }), on([2, 3, 8, 6])],
  [fixed(conv, [2, 3, 6, 4], { stride: 2, padding: [2, 1] }), on([1, 3, 6, 8])],
  [fixed(conv, [2, 2, 5, 4], { stride: 3, padding: 1 }), on([1, 2, 6, 9])],
];

export const convolution: CasesOf<typeof ops> = {
  conv2d: [...perImage, ...channelsLast, ...constantWeight],
  convTranspose2d: [
    [transposed(), on([2, 3, 4, 3], [3, 2, 3, 3])],
    [transposed(), on([2, 3, 4, 3], [3, 2, 3, 3], [2])],
    [transposed({ stride: 2, padding: 1 }), on([2, 3, 3, 4], [3, 2, 4, 4])],
    [transposed({ stride: 2, padding: 2, outputPadding: 1 }), on([1, 2, 3, 3], [2, 3, 5, 5])],
    [transposed({ stride: [3, 2], outputPadding: [2, 0] }), on([2, 2, 2, 3], [2, 2, 2, 3])],
    [transposed({ dilation: 2, stride: 2, outputPadding: 1 }), on([1, 2, 3, 2], [2, 2, 2, 3])],
    [transposed({ groups: 2, stride: 2 }), on([2, 4, 3, 3], [4, 3, 2, 2], [6])],
    [transposed({ groups: 3, padding: 1 }), on([1, 3, 4, 4], [3, 1, 3, 3])],
    [transposed({ stride: 2 }), on([1, 2, 2, 2], [2, 2, 1, 1])],
    [transposed(), on([2, 4, 1, 1], [4, 3, 4, 4])],
    [transposed({ stride: 2, padding: 1 }), on([2, 3, 3, 3], [3, 16, 4, 4])],
    [fixed(transposed, [3, 2, 3, 3], { padding: 1 }), on([2, 3, 4, 4])],
    [fixed(transposed, [3, 2, 4, 4], { stride: 2, padding: 1 }), on([2, 3, 4, 4])],
    [fixed(transposed, [3, 2, 5, 5], { stride: 2, padding: 2, outputPadding: 1 }), on([1, 3, 3, 4])],
    [fixed(transposed, [2, 2, 5, 5], { stride: 3, padding: 1 }), on([1, 2, 2, 3])],
    [fixed(transposed, [2, 3, 3, 3], { stride: 2 }), on([1, 2, 3, 3])],
  ],
  conv2dWeightGradients: [
    [(x, g) => conv2dWeightGradients(x!, g!, [4, 3, 3, 3]), on([2, 3, 5, 4], [2, 4, 3, 2])],
    [
      (x, g) => conv2dWeightGradients(x!, g!, [4, 2, 3, 2], { stride: 2, padding: 1, groups: 2 }),
      on([3, 4, 5, 5], [3, 4, 3, 3]),
    ],
    [(x, g) => conv2dWeightGradients(x!, g!, [2, 16, 1, 1]), on([2, 16, 3, 3], [2, 2, 3, 3])],
  ],
};
