import * as ops from "../../../src/engine/ops/activation.ts";
import { awayFromZero, type CasesOf, type GradientCase, on } from "../../support/gradient-case.ts";

const SHAPES = [[1], [3, 4], [2, 3, 1, 2]];

const each = (f: GradientCase[0], options: GradientCase[2] = {}): GradientCase[] =>
  SHAPES.map((shape) => [f, [shape], options]);

export const activation: CasesOf<typeof ops> = {
  relu: each(ops.relu, awayFromZero),
  leakyRelu: [...each((x) => ops.leakyRelu(x), awayFromZero), ...each((x) => ops.leakyRelu(x, 0.2), awayFromZero)],
  prelu: [
    [ops.prelu, on([2, 3, 2, 2], [3]), awayFromZero],
    [ops.prelu, on([2, 3, 2, 2], [1]), awayFromZero],
    [ops.prelu, on([4, 5], [5]), awayFromZero],
    [ops.prelu, on([1, 2, 3], [2]), awayFromZero],
  ],
  sigmoid: each(ops.sigmoid),
  tanh: each(ops.tanh),
  softplus: each(ops.softplus),
  gelu: each(ops.gelu),
  silu: each(ops.silu),
  softmax: [
    [ops.softmax, on([3, 5])],
    [ops.softmax, on([2, 2, 4])],
    [ops.softmax, on([6])],
  ],
  logSoftmax: [
    [ops.logSoftmax, on([3, 5])],
    [ops.logSoftmax, on([2, 2, 4])],
    [ops.logSoftmax, on([6])],
  ],
};
