import { z } from "zod";
import type { Value } from "../engine/graph.ts";
import { mul, neg } from "../engine/ops/elementwise.ts";
import { crossEntropyRows, maxMarginRows, poincareRows } from "../engine/ops/loss.ts";
import { sum } from "../engine/ops/reduce.ts";

/** Rows of an identity loss: logits [N, K] and the attacked classes as one-hot rows [N, K] give [N]. */
type IdentityLoss = (logits: Value, wanted: Value) => Value;

/** How well the target recognises the attacked class; smaller is better. */
const identityLosses = {
  /** −log p_y: GMI, KEDMI. Its gradient vanishes once the target is sure. */
  "cross-entropy": crossEntropyRows,
  /** −l_y, without the bound at p_y = 1: LOMMA (Nguyen et al., CVPR 2023, eq. 3, without its feature term) */
  logit: (logits, wanted) => neg(sum(mul(logits, wanted), [-1])),
  /** max over k ≠ y of l_k − l_y: PLG-MI (Yuan et al., AAAI 2023, eq. 6) */
  "max-margin": maxMarginRows,
  /** Distance in the Poincaré ball: PPA (Struppek et al., ICML 2022, eq. 3) */
  poincare: poincareRows,
} as const satisfies Record<string, IdentityLoss>;

export type IdentityLossKind = keyof typeof identityLosses;

/** The setting of an attack that chooses it; the papers of GMI and KEDMI use cross-entropy. */
export const identityLossSchema = z
  .enum(Object.keys(identityLosses) as [IdentityLossKind, ...IdentityLossKind[]])
  .default("cross-entropy")
  .describe("`logit` (LOMMA), `max-margin` (PLG-MI) and `poincare` (PPA) go on where the target is already sure");

/** The identity loss of each row. Logits and one-hot classes are [N, K], the result is [N]. */
export function identityLossRows(kind: IdentityLossKind, logits: Value, wanted: Value): Value {
  return identityLosses[kind](logits, wanted);
}
