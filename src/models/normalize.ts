import { z } from "zod";
import { constant } from "../engine/graph.ts";
import { div, sub } from "../engine/ops/elementwise.ts";
import { tensor } from "../engine/tensor.ts";
import { operation, sequential } from "./layers.ts";
import type { Model, Stage } from "./model.ts";

/** What imported weights were trained to see: (x − mean) / deviation, a channel. */
export interface InputScale {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Scales that have names. */
const NAMED = {
  /** torchvision's weights for ImageNet. */
  imagenet: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  /** [−1, 1]: face networks, and classifiers of the transformers' line. */
  half: { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
} as const satisfies Record<string, InputScale>;

/** The key `normalize` of every architecture. */
export const Normalize = z.enum(["imagenet", "half"]);
export type Normalize = z.output<typeof Normalize>;

/** The model with its images, which have values in [0, 1], scaled before its first stage. Grey images get the mean over colours. */
export function normalized(model: Model, name: Normalize): Model {
  const [channels] = model.input;
  const { mean, deviation } = NAMED[name];
  const each = (values: readonly number[]) => {
    const grey = values.reduce((sum, x) => sum + x, 0) / values.length;
    return constant(tensor(channels === values.length ? values : Array<number>(channels).fill(grey), [channels, 1, 1]));
  };
  const scale = operation((x) => div(sub(x, each(mean)), each(deviation)));
  const scaled = ([first, ...rest]: readonly Stage[]): readonly Stage[] => [
    { name: first!.name, layer: sequential(scale, first!.layer) },
    ...rest,
  ];
  const { shortcuts } = model;
  const stages = scaled(model.stages);
  return {
    ...model,
    stages,
    // Stages of other groups must stay the same objects, and the first stage is of none that has shortcuts.
    ...(shortcuts && { shortcuts: (group, factor) => [stages[0]!, ...shortcuts(group, factor).slice(1)] }),
  };
}
