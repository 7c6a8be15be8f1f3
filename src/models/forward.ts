import { input, type Value } from "../engine/graph.ts";
import { trainable } from "./bind.ts";
import type { Training } from "./train.ts";

/** What a loss may look at beside outputs and targets. */
export interface View {
  /** [N, C, H, W], values in [0, 1], as the network gets them: augmented. */
  readonly images: Value;
  /** What a layer shows under that name, such as a stage's output. @throws RangeError where none does. */
  observed(name: string): Value;
}

/**
 * A training's network over a batch of images, fed as `images` unless they are given: outputs, and what its layers show on the way.
 * `again` gives the same weights' outputs for other images of that number, of which nothing is shown and no statistics are kept.
 * @param training whether norms use the batch's statistics and layers draw noise
 */
export function forward(
  { prefix, trained, train: set }: Pick<Training, "prefix" | "trained" | "train">,
  batch: number,
  training: boolean,
  images: Value = input("images", [batch, set.channels, set.height, set.width]),
) {
  const before = prefix?.binding(training);
  const net = trainable({ training });
  const again = (x: Value) => net.apply(trained, before === undefined ? x : before.apply(prefix!.layer, x));
  const outputs = again(images);
  const observed = { ...before?.observed, ...net.observed };
  const view: View = {
    images,
    observed(name) {
      const found = observed[name];
      if (found === undefined)
        throw new RangeError(`no layer shows ${name}; there are ${Object.keys(observed).join(", ")}`);
      return found;
    },
  };
  const noises = { ...before?.noises, ...net.noises };
  return { outputs, view, noises, again, weights: net.trained(), updates: { ...before?.updates, ...net.updates } };
}
