import { constant } from "../../../src/engine/graph.ts";
import { square } from "../../../src/engine/ops/elementwise.ts";
import * as ops from "../../../src/engine/ops/movement.ts";
import { argMax } from "../../../src/engine/ops/reduce.ts";
import { indexTensor } from "../../../src/engine/tensor.ts";
import { type CasesOf, on } from "../../support/gradient-case.ts";

const { broadcastTo, concat, flatten, flip, gather, pad, pad2d, reshape, scatterAdd, slice, sliceAxis, transpose } =
  ops;

// These ops are linear: a square behind them gives the second order something to find.

const indices = (values: number[], shape: number[] = [values.length]) => constant(indexTensor(values, shape));

export const movement: CasesOf<typeof ops> = {
  reshape: [
    [(x) => square(reshape(x, [3, 4])), on([2, 6])],
    [(x) => square(reshape(x, [2, -1, 1])), on([2, 3, 2])],
    [(x) => square(reshape(x, [])), on([1, 1])],
    [(x) => square(reshape(x, [1, 1])), on([])],
  ],
  flatten: [[(x) => square(flatten(x)), on([2, 3, 2])]],
  transpose: [
    [(x) => square(transpose(x)), on([2, 3, 4])],
    [(x) => square(transpose(x, [2, 0, 1])), on([2, 3, 4])],
    [(x) => square(transpose(x, [1, 0, 3, 2])), on([1, 2, 3, 1])],
  ],
  broadcastTo: [
    [(x) => square(broadcastTo(x, [4, 2, 3])), on([2, 1])],
    [(x) => square(broadcastTo(x, [2, 2])), on([])],
    [(x) => square(broadcastTo(x, [1, 3])), on([1, 3])],
  ],
  pad: [
    [(x) => square(pad(x, [1, 0], [0, 2], 1.5)), on([2, 3])],
    [(x) => square(pad(x, [0, 0], [0, 0])), on([2, 3])],
    [(x) => square(pad(x, [0, 3, 1], [2, 0, 1])), on([1, 2, 1])],
  ],
  pad2d: [[(x) => square(pad2d(x, 1, 2, -1)), on([2, 1, 2, 3])]],
  slice: [
    [(x) => square(slice(x, [0, 1], [2, 4])), on([3, 5])],
    [(x) => square(slice(x, [1, 0], [6, 7], [2, 3])), on([6, 8])],
    [(x) => square(slice(x, [0, 2, 0], [1, 3, 5], [1, 1, 4])), on([1, 3, 5])],
    [(x) => square(slice(x, [2], [3], [5])), on([4])],
  ],
  sliceAxis: [
    [(x) => square(sliceAxis(x, 1, 1, 3)), on([2, 4])],
    [(x) => square(sliceAxis(x, -1, 0, 1)), on([2, 3, 2])],
  ],
  roll: [
    [(x) => square(ops.roll(x, [1, -2])), on([3, 5])],
    [(x) => square(ops.roll(x, [0, 7, 0])), on([2, 3, 2])],
  ],
  unslice: [
    [(g) => square(ops.unslice(g, [3, 5], { starts: [0, 1], ends: [2, 4], steps: [1, 1] })), on([2, 3])],
    [(g) => square(ops.unslice(g, [6, 8], { starts: [1, 0], ends: [6, 7], steps: [2, 3] })), on([3, 3])],
  ],
  flip: [
    [(x) => square(flip(x, [0])), on([3, 2])],
    [(x) => square(flip(x, [-1, 0])), on([2, 1, 3])],
  ],
  concat: [
    [(a, b) => square(concat([a, b], 0)), on([1, 3], [2, 3])],
    [(a, b, c) => square(concat([a, b, c], -1)), on([2, 1], [2, 3], [2, 2])],
    [(a) => square(concat([a, a], 1)), on([2, 2])],
    [(a) => square(concat([a], 0)), on([2])],
  ],
  gather: [
    [(x) => square(gather(x, indices([2, 0, 2, 1]))), on([3, 4])],
    [(x) => square(gather(x, indices([1, 1, 1, 1], [2, 2]))), on([3, 2])],
    [(x) => square(gather(x, indices([0], []))), on([2, 3])],
    [(x) => square(gather(x, indices([3, 0]))), on([4])],
  ],
  scatterAdd: [
    [(g) => square(scatterAdd(g, indices([2, 0, 2, 1]), 4)), on([4, 3])],
    [(g) => square(scatterAdd(g, indices([1, 1, 1, 1], [2, 2]), 3)), on([2, 2, 2])],
    [(g) => square(scatterAdd(g, indices([1, 0, 1]), 2)), on([3])],
  ],
  oneHot: { noGradient: (x) => ops.oneHot(argMax(x), 5) },
};
