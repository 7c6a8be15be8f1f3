import * as ops from "../../../src/engine/ops/rounding.ts";
import type { CasesOf } from "../../support/gradient-case.ts";

export const rounding: CasesOf<typeof ops> = {
  floor: { noGradient: ops.floor },
  ceil: { noGradient: ops.ceil },
  round: { noGradient: ops.round },
};
