import { z } from "zod";
import { grad } from "../engine/autodiff.ts";
import { parameter, type Value } from "../engine/graph.ts";
import { add, mul, square } from "../engine/ops/elementwise.ts";
import { mean, sum } from "../engine/ops/reduce.ts";
import { adam, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { constantRate } from "../engine/schedule.ts";
import type { StateDict } from "../engine/store.ts";
import { filled } from "../engine/tensor.ts";
import type { HandedOn } from "./handed-on.ts";
import type { Phase } from "./search.ts";

/** The setting of an attack that can look for features before it looks for images. */
export const featuresFirstSettings = {
  features: z
    .strictObject({
      iterations: z
        .int()
        .positive()
        .default(100)
        .describe("steps of the search for features, which ask the tail alone"),
      rate: z
        .number()
        .positive()
        .default(0.1)
        .describe("learning rate of Adam, on coordinates of which public images have a deviation of 1"),
      tether: z
        .number()
        .min(0)
        .default(0.1)
        .describe("how much features that are rare among public images cost: the weight of −log of their density"),
      match: z
        .number()
        .positive()
        .default(20)
        .describe(
          "in the search for images, the weight of the squared distance of what the prefix makes of them from the features found; 1 is a public image's from the public mean",
        ),
    })
    .optional()
    .describe(
      "look first for features behind the boundary that the tail takes for the identity, within what public images span, then for images that match them",
    ),
};

/** How an attack looks for features first. */
export type FeaturesFirst = NonNullable<z.output<typeof featuresFirstSettings.features>>;

/** The search for features, what it keeps in the store, and what it adds to the loss of each image after it. */
export interface FeatureSearch {
  readonly phase: Phase;
  /** New values of the store's tensors once it is done, before images are searched for. */
  readonly enter: Readonly<Record<string, Value>>;
  start(): StateDict;
  /** The cost of each row's features [N, …], as far as they are from those found: [N]. */
  mismatch(handed: Value): Value;
}

const COORDINATES = "coordinates";
/** What the search begins at, and, once it is done, what it found. */
const FEATURES = "features";

/**
 * Looks for what the prefix would hand on of each identity: from the features of the first images, moved within the span of public
 * images' deviations, on the identity loss and the density of the move among public images.
 * @param handed features [N, …] of the images that the search starts from
 * @param losses the identity loss of each row of features, [N]
 */
export function featuresFirst(
  settings: FeaturesFirst,
  handedOn: HandedOn,
  handed: Value,
  losses: (handed: Value) => Value,
  identityWeight: number,
): FeatureSearch {
  const rows = handed.shape[0]!;
  const shape = [rows, handedOn.count];
  const coordinates = parameter(COORDINATES, shape);
  const features = parameter(FEATURES, handed.shape);
  const plan = { name: "features", optimizer: adam(), rate: constantRate(settings.rate) };
  const moved = handedOn.moved(features, coordinates);
  const identity = mean(losses(moved));
  const rarity = mul(mean(sum(square(coordinates), [1])), settings.tether / 2);
  const loss = add(mul(identity, identityWeight), rarity);
  // A mean over rows, of which none may change another's step.
  const gradient = grad(mul(loss, rows), [coordinates]);
  return {
    phase: {
      iterations: settings.iterations,
      outputs: { loss, identity },
      updates: optimizerUpdates(plan, [coordinates], gradient),
      // The images stay as they are meanwhile: generator and prefix run once.
      enter: { [FEATURES]: handed },
    },
    enter: { [FEATURES]: moved },
    start: () => ({
      [COORDINATES]: filled(shape, 0),
      [FEATURES]: filled(handed.shape, 0),
      ...optimizerState(plan, [coordinates]),
    }),
    mismatch: (seen) => mul(handedOn.distances(seen, features), settings.match),
  };
}
