import type { Value } from "../engine/graph.ts";
import type { Rng } from "../engine/random.ts";
import type { Shape } from "../engine/shape.ts";

/** Draws a weight's first numbers, row by row. */
export type Initializer = (rng: Rng, shape: Shape) => Float32Array;

/** A tensor that a layer keeps: a weight that may be trained, or a buffer (a running statistic) that only follows. */
export interface WeightSpec {
  /** PyTorch's name: `layer3.0.conv1.weight`. */
  readonly name: string;
  readonly shape: Shape;
  readonly kind: "weight" | "buffer";
  readonly initial: Initializer;
}

/** What a layer asks its surroundings for while it writes its part of the graph. */
export interface LayerContext {
  /** The value of a weight or buffer: a parameter of the store while it trains, a constant where it is fixed. */
  weight(name: string): Value;
  /** Batch norms use the batch's statistics and hand on running ones; dropout drops. */
  readonly training: boolean;
  /** Classes that the batch is meant for, one-hot rows [N, K]; only for networks that are conditioned on them. */
  readonly condition?: Value;
  /** Takes a buffer's next value. */
  update(name: string, value: Value): void;
  /** Shows a result on the way, such as a stage's output, to losses that ask for it by name. */
  observe(name: string, value: Value): void;
  /** Standard normal numbers, drawn anew at every step of training from the random stream of that name. */
  noise(name: string, shape: Shape): Value;
}

/** A piece of a network: what it keeps, and how it computes. */
export interface Layer {
  readonly weights: readonly WeightSpec[];
  apply(x: Value, context: LayerContext): Value;
}
