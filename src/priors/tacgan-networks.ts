import type { Value } from "../engine/graph.ts";
import { concat, reshape, sliceAxis } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { xavierUniform } from "../models/initial.ts";
import type { Layer } from "../models/layer.ts";
import { linear, operation, sequential } from "../models/layers.ts";
import { spectralTrunk } from "./plg-networks.ts";

/**
 * T-ACGAN's discriminator (released code `SNResNetConditionalDiscriminator`): PLG-MI's trunk, summed over pixels, then two heads without
 * spectral norm, `l6` for real or fake and `l_y` for the class. Gives [N, 1 + classes] logits; `reality` and `classLogits` read them.
 */
export function tacganDiscriminator(image: readonly [number, number, number], width: number, classes: number): Layer {
  const { layer, channels, next } = spectralTrunk(image, width);
  const initial = xavierUniform();
  return sequential(
    layer,
    operation((x) => sum(x, [2, 3])),
    heads(linear(`l${next}`, channels, 1, { initial }), linear("l_y", channels, classes, { initial })),
  );
}

function heads(first: Layer, second: Layer): Layer {
  return {
    weights: [...first.weights, ...second.weights],
    apply: (x, c) => concat([first.apply(x, c), second.apply(x, c)], 1),
  };
}

/** The discriminator's logit of "real", [N]. */
export function reality(judged: Value): Value {
  return reshape(sliceAxis(judged, 1, 0, 1), [judged.shape[0]!]);
}

/** The discriminator's class logits, [N, classes]. */
export function classLogits(judged: Value): Value {
  return sliceAxis(judged, 1, 1, judged.shape[1]!);
}
