import { constant, type Value } from "../engine/graph.ts";
import { add, mul, square, sub } from "../engine/ops/elementwise.ts";
import { mean } from "../engine/ops/reduce.ts";
import { tensor } from "../engine/tensor.ts";
import type { WhiteBox } from "./access.ts";
import { type IdentityLossKind, identityLossRows } from "./identity-loss.ts";
import type { Surrogates } from "./surrogates.ts";

/** How an attack judges images by the target, and by what was learnt of it beforehand. */
export interface IdentityTerms {
  readonly identityLoss: IdentityLossKind;
  /** λ of the feature term, which is left out without it. */
  readonly featureWeight?: number | undefined;
}

/**
 * The identity loss of each row, [N], the smaller the better: the mean over the target and its students, and the mean squared distance
 * of the target's penultimate features from those of public images (Nguyen et al., CVPR 2023, eq. 3 and 6). Without either, the target's
 * own identity loss.
 * @param images [N, C, H, W]
 * @param wanted the attacked classes, one-hot rows [N, K]
 * @param copies how many of the images stand for each reconstruction
 */
export function identityRows(
  target: WhiteBox,
  surrogates: Surrogates | undefined,
  { identityLoss, featureWeight }: IdentityTerms,
  images: Value,
  wanted: Value,
  copies = 1,
): Value {
  const { features, logits } = target.judge(images, copies);
  const { students = [], meanFeatures } = surrogates ?? {};
  const losses = [logits, ...students.map((student) => student(images))].map((seen) =>
    identityLossRows(identityLoss, seen, wanted),
  );
  const loss = mul(
    losses.reduce((a, b) => add(a, b)),
    1 / losses.length,
  );
  if (featureWeight === undefined || meanFeatures === undefined) return loss;
  const centre = constant(tensor(meanFeatures, [meanFeatures.length]), "public features");
  return add(loss, mul(mean(square(sub(features, centre)), [-1]), featureWeight));
}
