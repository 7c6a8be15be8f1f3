import type { GradientCase, NoGradient } from "../../support/gradient-case.ts";
import { activation } from "./activation.ts";
import { clamping } from "./clamp.ts";
import { convolution } from "./conv.ts";
import { elementwise } from "./elementwise.ts";
import { linearAlgebra } from "./linear.ts";
import { loss } from "./loss.ts";
import { movement } from "./movement.ts";
import { norms } from "./norm.ts";
import { pooling, resizes } from "./pool.ts";
import { reduce } from "./reduce.ts";
import { rounding } from "./rounding.ts";
import { upFirDn } from "./upfirdn.ts";
import { windowPools } from "./window-pool.ts";

type Cases = Readonly<Record<string, readonly GradientCase[] | NoGradient>>;

/** The table: the file of src/engine/ops, its functions, their cases. */
export const cases: Readonly<Record<string, Cases>> = {
  activation,
  clamp: clamping,
  conv: convolution,
  elementwise,
  linear: linearAlgebra,
  loss,
  movement,
  norm: norms,
  pool: pooling,
  reduce,
  resize: resizes,
  rounding,
  "window-pool": windowPools,
  upfirdn: upFirDn,
};
