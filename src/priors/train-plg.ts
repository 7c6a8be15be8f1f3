import type { ImageSet } from "../data/dataset.ts";
import type { Value } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { maxMarginRows } from "../engine/ops/loss.ts";
import { mean } from "../engine/ops/reduce.ts";
import type { StateDict } from "../engine/store.ts";
import type { Work } from "../engine/work.ts";
import { randomViews, type ViewRange } from "../models/random-views.ts";
import type { PlgSettings } from "./plg.ts";
import type { PriorNetworks } from "./prior.ts";
import { pseudoLabelled } from "./pseudo-labels.ts";
import { type Guide, trainHinge } from "./train-hinge.ts";
import { withClasses } from "./with-classes.ts";

/** What PLG-MI's GAN learns from. */
export interface PlgTraining {
  readonly networks: PriorNetworks;
  readonly images: ImageSet;
  /** The attacked target's softmax for each image of `images`, row by row: [images, classes]. */
  readonly scores: Float32Array;
  /** The attacked target: [N, C, H, W] to logits [N, classes]. */
  readonly logits: (images: Value) => Value;
  readonly classes: number;
  readonly settings: PlgSettings;
  /** A prior without classes that the generator starts from. */
  readonly start?: StateDict;
  readonly seed: number;
  readonly work: Work;
}

/** How the target sees fakes and candidates: the paper's random resized crop, colour jitter and flip (its rotation by ±5° is left out). */
export const PLG_VIEWS: ViewRange = { scale: [0.8, 1], ratio: [1, 1], flip: 0.5, jitter: 0.2 };

/** The target's max-margin loss on views of the fakes, times α, in the generator's loss (eq. 3 and 4). */
export function plgGuide(
  logits: PlgTraining["logits"],
  { flip, inversion }: Pick<PlgSettings, "flip" | "inversion">,
): Guide {
  return (fakes, wanted) => {
    const views = randomViews(fakes, { ...PLG_VIEWS, flip });
    return { loss: mul(mean(maxMarginRows(logits(views.images), wanted)), inversion), draw: views.draw };
  };
}

/**
 * Trains PLG-MI's conditional GAN against a target and returns the weights of both networks under their prefixes: the hinge loss (eq. 2), and
 * for the generator the target's guidance.
 */
export async function trainPlg(options: PlgTraining): Promise<StateDict> {
  const { networks, images, scores, logits, classes, settings, start, seed, work } = options;
  return trainHinge({
    name: "plg",
    networks,
    classes,
    images: pseudoLabelled(images, scores, classes, settings.top),
    settings,
    guide: plgGuide(logits, settings),
    ...(start && { start: withClasses(networks, start, seed) }),
    seed,
    work,
  });
}
