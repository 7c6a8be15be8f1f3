import * as ops from "../../../src/engine/ops/clip.ts";
import { square } from "../../../src/engine/ops/elementwise.ts";
import { awayFromZero, type CasesOf, on } from "../../support/gradient-case.ts";

const { clip } = ops;
// Bounds at zero and at numbers that none of the drawn ones comes near.
const wide = 1000;

export const clipping: CasesOf<typeof ops> = {
  clip: [
    [(x) => square(clip(x, 0, wide)), on([3, 4]), awayFromZero],
    [(x) => square(clip(x, -wide, 0)), on([3, 4]), awayFromZero],
    [(x) => square(clip(x, 0, Number.POSITIVE_INFINITY)), on([2, 5]), awayFromZero],
    [(x) => square(clip(x, Number.NEGATIVE_INFINITY, 0)), on([2, 5]), awayFromZero],
    [(x) => square(clip(x, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)), on([4])],
  ],
};
