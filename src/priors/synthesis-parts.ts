import type { Value } from "../engine/graph.ts";
import type { Layer, LayerContext, WeightSpec } from "../models/layer.ts";

/** What one block of a synthesis network hands to the next. */
export interface Between {
  /** Features [N, C, side, side]. */
  readonly features: Value;
  /** The image so far, [N, channels, side, side] in the network's own range; absent in a network that only makes it at its end. */
  readonly image?: Value;
}

/** A block of a synthesis network. */
export interface SynthesisBlock {
  readonly weights: readonly WeightSpec[];
  /**
   * @param before what the block before handed on; absent for the first one
   * @param styles those of all layers, [N, count, length]
   */
  apply(before: Between | undefined, styles: Value, context: LayerContext): Between;
}

/** A synthesis network that can be entered between its blocks. */
export interface SynthesisParts {
  readonly blocks: readonly SynthesisBlock[];
  /** What the last block hands on as images [N, channels, side, side] in [0, 1]. It has no weights. */
  finish(last: Between, context: LayerContext): Value;
}

/** All of a synthesis network: styles [N, count, length] to images. */
export function wholeSynthesis({ blocks, finish }: SynthesisParts): Layer {
  return {
    weights: blocks.flatMap(({ weights }) => weights),
    apply(styles, context) {
      const [first, ...rest] = blocks;
      const last = rest.reduce(
        (before, block) => block.apply(before, styles, context),
        first!.apply(undefined, styles, context),
      );
      return finish(last, context);
    },
  };
}
