import type { Value } from "../../engine/graph.ts";
import { relu } from "../../engine/ops/activation.ts";
import { add } from "../../engine/ops/elementwise.ts";
import { matmul } from "../../engine/ops/linear.ts";
import type { Rng } from "../../engine/random.ts";
import { type Shape, sizeOf } from "../../engine/shape.ts";
import type { StateDict } from "../../engine/store.ts";
import { tensor } from "../../engine/tensor.ts";

/** One network's weights for many agents, the agent being the first axis: every agent has numbers of its own. */
export interface SideBySide {
  readonly weights: readonly { readonly name: string; readonly shape: Shape }[];
  /** [agents, n, in] to [agents, n, out], each agent's rows by its own weights. */
  apply(x: Value, weight: (name: string) => Value): Value;
  /** First weights, agent by agent from the stream of each, so that an agent begins alike whoever stands beside it. */
  initial(streams: readonly Rng[]): StateDict;
}

/**
 * A perceptron with relu between its linear layers (Haarnoja et al. 2018), for `agents` agents side by side. First weights are uniform in
 * ±1/√fan-in, PyTorch's default; those of the last layer in ±`last` where it is given.
 * @param sizes lengths from the input to the output
 */
export function sideBySide(name: string, agents: number, sizes: readonly number[], last?: number): SideBySide {
  const layers = sizes.slice(1).map((out, i) => ({
    weight: { name: `${name}.${i}.weight`, shape: [agents, sizes[i]!, out] },
    bias: { name: `${name}.${i}.bias`, shape: [agents, 1, out] },
    bound: i === sizes.length - 2 && last !== undefined ? last : 1 / Math.sqrt(sizes[i]!),
  }));
  const weights = layers.flatMap(({ weight, bias }) => [weight, bias]);
  return {
    weights,
    apply: (x, weightOf) =>
      layers.reduce((y, { weight, bias }, i) => {
        const next = add(matmul(y, weightOf(weight.name)), weightOf(bias.name));
        return i === layers.length - 1 ? next : relu(next);
      }, x),
    initial(streams) {
      const state = Object.fromEntries(
        weights.map((w) => [w.name, tensor(new Float32Array(sizeOf(w.shape)), w.shape)]),
      );
      for (const [agent, rng] of streams.entries())
        for (const { weight, bias, bound } of layers)
          for (const { name: of, shape } of [weight, bias]) {
            const length = sizeOf(shape) / agents;
            state[of]!.data.set(
              rng.uniforms(length).map((u) => (2 * u - 1) * bound),
              agent * length,
            );
          }
      return state;
    },
  };
}
