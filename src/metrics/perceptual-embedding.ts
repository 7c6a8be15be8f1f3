import type { Value } from "../engine/graph.ts";
import { add, div, mul, sqrt } from "../engine/ops/elementwise.ts";
import { concat, flatten } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import type { StateDict } from "../engine/store.ts";
import { fixed } from "../models/bind.ts";
import { featureLayer, type Model } from "../models/model.ts";

/** The stages that a perceptual distance looks at: the last of each group (`block3`, `layer2`). */
export function perceptualStages({ stages }: Model): string[] {
  const groups = new Map(stages.map(({ name }) => [name.split(".")[0]!, name]));
  return [...groups.values()];
}

/**
 * One vector an image, [N, …], whose squared distances are the mean over layers of
 * 1/(H·W) Σ ‖x̂ − x̂₀‖², x̂ a layer's activations scaled to length 1 over the channels at each place (Zhang et al. 2018, equation 1, with
 * weights 1 and a mean over layers, so that distances lie in [0, 4], and in [0, 2] where activations are not negative). Layers: `perceptualStages`.
 * A stage that hands on a vector counts as one place.
 * @param images [N, C, H, W] in [0, 1]
 */
export function perceptualEmbedding(model: Model, state: StateDict, images: Value): Value {
  const net = fixed(state);
  net.apply(featureLayer(model), images);
  const names = perceptualStages(model);
  const parts = names.map((name) => {
    const x = net.observed[name]!;
    const places = x.shape.slice(2).reduce((n, side) => n * side, 1);
    // LPIPS's guard against activations that are all zero.
    const lengths = add(sqrt(sum(mul(x, x), [1], true)), 1e-10);
    return flatten(mul(div(x, lengths), 1 / Math.sqrt(places * names.length)));
  });
  return concat(parts, 1);
}
