import { constant, input, parameter, type Value } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import type { Shape } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import type { Layer, LayerContext, WeightSpec } from "./layer.ts";

/** A layer's place in a graph: which weights train, which are fixed, and what its buffers become. */
export interface Binding {
  /** @param condition classes of the batch as one-hot rows [N, K], for layers that are conditioned on them */
  apply(layer: Layer, x: Value, condition?: Value): Value;
  /** The weights (not buffers) that took part as parameters, in the order of first use. */
  trained(): Value[];
  /** Next values of buffers, by name, for `compile`'s updates. */
  readonly updates: Readonly<Record<string, Value>>;
  /** Results on the way, by the names under which layers show them. */
  readonly observed: Readonly<Record<string, Value>>;
  /** Inputs that want standard normal numbers, by the names of their random streams. */
  readonly noises: Readonly<Record<string, Value>>;
}

/** What every binding keeps of the layers that were applied, and the context's part that fills it. */
function gatherer() {
  const updates: Record<string, Value> = {};
  const observed: Record<string, Value> = {};
  const noises: Record<string, Value> = {};
  return {
    gathered: { updates, observed, noises },
    context: {
      update(name: string, value: Value) {
        updates[name] = value;
      },
      observe(name: string, value: Value) {
        observed[name] = value;
      },
      noise(name: string, shape: Shape) {
        noises[name] ??= input(`noise/${name}`, shape);
        return noises[name];
      },
    },
  };
}

/** Weights held by a store: they can be trained. `prefix` goes before each name, for stores that hold several networks. */
export function trainable(options: { readonly training: boolean; readonly prefix?: string }): Binding {
  const { training, prefix = "" } = options;
  const { gathered, context: gathering } = gatherer();
  const values = new Map<string, Value>();
  const weights: Value[] = [];
  return {
    ...gathered,
    trained: () => weights,
    apply(layer, x, condition) {
      for (const spec of layer.weights) {
        if (values.has(spec.name)) continue;
        const value = parameter(`${prefix}${spec.name}`, spec.shape);
        values.set(spec.name, value);
        if (spec.kind === "weight") weights.push(value);
      }
      const context: LayerContext = {
        ...gathering,
        training,
        ...(condition && { condition }),
        weight: (name) => values.get(name)!,
        update: (name, value) => gathering.update(`${prefix}${name}`, value),
      };
      return layer.apply(x, context);
    },
  };
}

/** Fixed weights: constants, which the runtime packs and into which frozen batch norms are folded. Always in evaluation mode. */
export function fixed(state: StateDict): Binding {
  const { gathered, context } = gatherer();
  const values = new Map<string, Value>();
  const held = (name: string): Value => {
    const known = values.get(name);
    if (known !== undefined) return known;
    const found = state[name];
    if (found === undefined) throw new RangeError(`no weight named ${name} in the given state`);
    const value = constant(found, name);
    values.set(name, value);
    return value;
  };
  return {
    ...gathered,
    trained: () => [],
    apply: (layer, x, condition) =>
      layer.apply(x, { ...context, training: false, ...(condition && { condition }), weight: held }),
  };
}

/** Fixed weights whose batch norms' buffers are the store's and follow the data in training (the released TL-DMI code's freezing). */
export function fixedWithLiveStatistics(state: StateDict, training: boolean): Binding {
  const { gathered, context } = gatherer();
  const values = new Map<string, Value>();
  return {
    ...gathered,
    trained: () => [],
    apply(layer, x, condition) {
      for (const { name, kind, shape } of layer.weights) {
        values.set(name, kind === "buffer" ? parameter(name, shape) : constant(state[name]!, name));
      }
      const weight = (name: string) => values.get(name)!;
      return layer.apply(x, { ...context, training, ...(condition && { condition }), weight });
    },
  };
}

/** First weights for the given specs; each weight has a random stream of its own, so that one layer's change leaves others alone. */
export function initialState(specs: readonly WeightSpec[], seed: number): StateDict {
  return Object.fromEntries(
    specs.map(({ name, shape, initial }) => [name, tensor(initial(random(seed, "weights", name), shape), shape)]),
  );
}

/** The number of trainable numbers of these specs (buffers do not count). */
export function countWeights(specs: readonly WeightSpec[]): number {
  return specs.filter((s) => s.kind === "weight").reduce((n, s) => n + s.shape.reduce((a, b) => a * b, 1), 0);
}
