import { input, topologicalOrder, type Value } from "../src/engine/graph.ts";
import { sizeOf } from "../src/engine/shape.ts";
import { trainable } from "../src/models/bind.ts";
import { logitsLayer } from "../src/models/model.ts";
import type { EvaluateSpec } from "./case.ts";
import { buildClassifier } from "./steps/model.ts";

/** Multiplications and additions that one value costs: an output of a product over `inner` terms takes 2 · inner. */
function flopsOf(v: Value): number {
  const [a, b] = v.inputs as [Value, Value];
  switch (v.op) {
    case "Conv":
      return 2 * sizeOf(v.shape) * sizeOf(b.shape.slice(1));
    // Each number of the output's gradient meets the same kernel weights as in the forward pass.
    case "ConvInputGrad":
      return 2 * sizeOf(a.shape) * sizeOf(b.shape.slice(1));
    case "ConvWeightGrad":
      return 2 * sizeOf(b.shape) * sizeOf(v.shape.slice(1));
    case "MatMul":
      return 2 * sizeOf(v.shape) * a.shape.at(-1)!;
    default:
      return 0;
  }
}

/**
 * Floating-point operations of a graph's convolutions and matrix products as the mathematics has them: how they are lowered does not
 * count, and what is done element by element is left out.
 */
export function graphFlops(outputs: Iterable<Value>): number {
  return topologicalOrder([...outputs]).reduce((sum, v) => sum + flopsOf(v), 0);
}

/** The same for logits of all images of an evaluation. */
export function evaluationFlops(spec: EvaluateSpec): number {
  const model = buildClassifier(spec);
  const one = trainable({ training: false }).apply(logitsLayer(model), input("image", [1, ...model.input]));
  return graphFlops([one]) * spec.images;
}
