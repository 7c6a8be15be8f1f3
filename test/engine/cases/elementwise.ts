import { constant } from "../../../src/engine/graph.ts";
import * as ops from "../../../src/engine/ops/elementwise.ts";
import { tensor } from "../../../src/engine/tensor.ts";
import { awayFromZero, type CasesOf, distinct, type GradientCase, on, positive } from "../../support/gradient-case.ts";

const { add, div, equal, greater, maximum, minimum, mul, neg, pow, scalar, sub, where } = ops;

const BROADCASTS = [on([2, 3], [2, 3]), on([2, 3], [3]), on([4, 1, 3], [2, 1]), on([], [2, 2]), on([1, 1], [1, 3, 1])];

const SHAPES = [[], [5], [2, 1, 3]];

const pairs = (f: GradientCase[0], options: GradientCase[2] = {}): GradientCase[] =>
  BROADCASTS.map((shapes) => [f, shapes, options]);
const each = (f: GradientCase[0], options: GradientCase[2] = {}): GradientCase[] =>
  SHAPES.map((shape) => [f, [shape], options]);

const mask = constant(tensor([1, -1, 1], [3]));

export const elementwise: CasesOf<typeof ops> = {
  scalar: each((x) => mul(x, scalar(3))),
  add: [...pairs(add), ...each((x) => add(x, 0)), ...each((x) => add(2, x))],
  mul: [...pairs(mul), ...each((x) => mul(x, 1)), ...each((x) => mul(-2, x)), ...each((x) => mul(x, x))],
  sub: [...pairs(sub), ...each((x) => sub(1, x))],
  div: [...pairs(div, positive), ...each((x) => div(1, x), positive), ...each((x) => div(x, 3))],
  pow: [...pairs(pow, positive), ...each((x) => pow(x, 3)), ...each((x) => pow(2, x)), ...each((x) => pow(x, 2))],
  neg: each(neg),
  exp: each(ops.exp),
  log: each(ops.log, positive),
  sqrt: each(ops.sqrt, positive),
  abs: each(ops.abs, awayFromZero),
  sign: { noGradient: ops.sign },
  cos: each(ops.cos),
  sin: each(ops.sin),
  erf: each(ops.erf),
  stopGradient: { noGradient: ops.stopGradient },
  greater: { noGradient: (x) => ops.toFloat(greater(x, 0)) },
  equal: { noGradient: (x) => ops.toFloat(equal(x, 0)) },
  positive: { noGradient: ops.positive },
  toFloat: { noGradient: (x) => ops.toFloat(greater(x, 0)) },
  where: [
    [(a, b) => where(greater(mask, 0), a, b), on([2, 3], [3])],
    [(a, b) => where(greater(mask, 0), a, b), on([2, 1], [])],
    [(a, b) => where(greater(mask, 0), mul(a, b), b), on([3], [3])],
    [(a) => where(greater(a, 0), mul(a, a), 1), on([4, 3]), awayFromZero],
  ],
  maximum: [...pairs(maximum, distinct), ...each((x) => maximum(x, 0), awayFromZero)],
  minimum: [...pairs(minimum, distinct), ...each((x) => minimum(0, x), awayFromZero)],
  square: each(ops.square),
};
