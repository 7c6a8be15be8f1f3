import type { Value } from "../engine/graph.ts";
import type { StateDict } from "../engine/store.ts";
import { fixed } from "../models/bind.ts";
import { logitsLayer, type Model } from "../models/model.ts";

/** What an attack may see of the target. `white-box`: weights and gradients; `scores`: probabilities; `labels`: the predicted class. */
export type Access = "white-box" | "scores" | "labels";

/** The target in the hands of a white-box attack: its logits as a differentiable function of images. */
export interface WhiteBox {
  readonly classes: number;
  /** [channels, height, width] of the images it takes, values in [0, 1]. */
  readonly image: readonly [number, number, number];
  /** [N, C, H, W] to logits [N, classes]. */
  logits(images: Value): Value;
}

/** A handle on a target with fixed weights, in evaluation mode. */
export function whiteBox(model: Model, state: StateDict): WhiteBox {
  const net = fixed(state);
  return {
    classes: model.classes,
    image: model.input,
    logits: (images) => net.apply(logitsLayer(model), images),
  };
}
