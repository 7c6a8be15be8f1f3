import type { StateDict } from "../engine/store.ts";
import type { Model } from "../models/model.ts";

/**
 * Where private learning begins: the last of the first stages whose weights are the public ones, bit for bit; null where the first stage
 * with weights already differs. Running statistics do not count: those of frozen norms may have followed the private images.
 */
export function knownPrefix(model: Model, state: StateDict, publicWeights: StateDict): string | null {
  let last: string | null = null;
  let known = 0;
  for (const { name, layer } of model.stages) {
    const own = layer.weights.filter(({ kind }) => kind === "weight").map((w) => w.name);
    if (!own.every((weight) => same(state[weight]?.data, publicWeights[weight]?.data))) break;
    known += own.length;
    if (known > 0) last = name;
  }
  return last;
}

function same(a: Float32Array | undefined, b: Float32Array | undefined): boolean {
  return a !== undefined && a.length === b?.length && a.every((x, i) => Object.is(x, b[i]));
}
