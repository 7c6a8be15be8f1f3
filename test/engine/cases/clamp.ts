import * as ops from "../../../src/engine/ops/clamp.ts";
import { square } from "../../../src/engine/ops/elementwise.ts";
import type { CheckOptions } from "../../support/check-grads.ts";
import { awayFromZero, type CasesOf, on } from "../../support/gradient-case.ts";

const { clamp } = ops;
// Bounds at zero and at numbers that none of the drawn ones comes near.
const wide = 1000;
/** …, −1.5, −0.5, 0.5, 1.5, …: as far from whole bounds as can be. */
const halves: CheckOptions = {
  step: 0.01,
  at: (rng, count) => rng.normals(count).map((x) => Math.floor(2 * x) + 0.5),
};

export const clamping: CasesOf<typeof ops> = {
  clamp: [
    [(x) => clamp(square(x), 0.04, 1.5), on([3, 4]), { ...awayFromZero, seed: 4 }],
    [(x) => square(clamp(x, 0, 2)), on([4, 6]), halves],
    [(x) => square(clamp(x, -1, 1)), on([4, 6]), halves],
    [(x) => square(clamp(x, 0, wide)), on([3, 4]), awayFromZero],
    [(x) => square(clamp(x, -wide, 0)), on([3, 4]), awayFromZero],
    [(x) => square(clamp(x, 0, Number.POSITIVE_INFINITY)), on([2, 5]), awayFromZero],
    [(x) => square(clamp(x, Number.NEGATIVE_INFINITY, 0)), on([2, 5]), awayFromZero],
    [(x) => square(clamp(x, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)), on([4])],
  ],
};
