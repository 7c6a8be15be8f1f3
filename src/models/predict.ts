import type { ImageSet } from "../data/dataset.ts";
import { all } from "../data/loader.ts";
import { input, type Value } from "../engine/graph.ts";
import { compile } from "../engine/runtime.ts";
import { type Shape, sizeOf } from "../engine/shape.ts";
import type { StateDict } from "../engine/store.ts";
import { fixed } from "./bind.ts";
import { featureLayer, type Model } from "./model.ts";

/** A fixed network that takes any number of rows, in batches. */
export interface Predictor<Names extends string> {
  /** Results for `count` rows, one after the other in `rows`. The arrays are the caller's. */
  predict(rows: Float32Array, count: number): Promise<Record<Names, Float32Array>>;
  release(): Promise<void>;
}

/** Compiles a function of a batch of rows, each of shape `row`, for repeated use. */
export async function predictor<Names extends string>(
  row: Shape,
  batch: number,
  outputsOf: (rows: Value) => Record<Names, Value>,
): Promise<Predictor<Names>> {
  const outputs = outputsOf(input("rows", [batch, ...row]));
  const names = Object.keys(outputs) as Names[];
  const program = await compile({ outputs });
  const length = sizeOf(row);
  const fed = new Float32Array(batch * length);
  return {
    async predict(rows, count) {
      const width = (name: Names) => sizeOf(outputs[name].shape) / batch;
      const results = Object.fromEntries(names.map((n) => [n, new Float32Array(count * width(n))])) as Record<
        Names,
        Float32Array
      >;
      for (let at = 0; at < count; at += batch) {
        const part = Math.min(batch, count - at);
        fed.set(rows.subarray(at * length, (at + part) * length));
        const out = await program.run({ rows: fed });
        for (const n of names)
          results[n].set((out[n]!.data as Float32Array).subarray(0, part * width(n)), at * width(n));
      }
      return results;
    },
    release: () => program.release(),
  };
}

/** A classifier's logits and penultimate features. */
export function classifierPredictor(
  model: Model,
  state: StateDict,
  batch = 64,
): Promise<Predictor<"logits" | "features">> {
  const net = fixed(state);
  return predictor(model.input, batch, (images) => {
    const features = net.apply(featureLayer(model), images);
    return { features, logits: net.apply(model.head, features) };
  });
}

/** Results for all images of a set, in its order. */
export async function predictSet<Names extends string>(
  net: Predictor<Names>,
  set: ImageSet,
  batch = 256,
): Promise<Record<Names, Float32Array>> {
  const parts: Record<Names, Float32Array>[] = [];
  for await (const { images, size } of all(set, batch)) parts.push(await net.predict(images, size));
  const names = Object.keys(parts[0]!) as Names[];
  return Object.fromEntries(names.map((n) => [n, concatenate(parts.map((p) => p[n]))])) as Record<Names, Float32Array>;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
