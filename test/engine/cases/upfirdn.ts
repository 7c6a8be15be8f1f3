import { square } from "../../../src/engine/ops/elementwise.ts";
import * as ops from "../../../src/engine/ops/upfirdn.ts";
import { type CasesOf, type GradientCase, on } from "../../support/gradient-case.ts";

// Linear: a square behind it gives the second order something to find. The filters are not symmetric, so that a turn shows.
const filtered =
  (taps: readonly number[], options?: ops.UpFirDnOptions): GradientCase[0] =>
  (x) =>
    square(ops.upFirDn2d(x, taps, options));

export const upFirDn: CasesOf<typeof ops> = {
  upFirDn2d: [
    [filtered([0.2, 0.5, 0.3], { padding: [1, 1] }), on([2, 3, 4, 5])],
    [filtered([0.1, 0.4, 0.3, 0.2], { up: 2, padding: [2, 1], gain: 4 }), on([1, 2, 3, 4])],
    [filtered([0.1, 0.4, 0.3, 0.2], { down: 2, padding: [1, 1] }), on([2, 2, 5, 6])],
    [filtered([0.6, 0.4], { up: 3, down: 2, padding: [2, 0], gain: 2 }), on([1, 1, 3, 2])],
    [filtered([0.6, 0.4], { padding: [-1, -1] }), on([1, 2, 5, 4])],
    [filtered([0.3, 0.3, 0.4], { up: 2, padding: [-1, 2] }), on([1, 1, 3, 3])],
    [filtered([2]), on([1, 1, 2, 2])],
  ],
};
