import { input, topologicalOrder, type Value } from "../src/engine/graph.ts";
import { sizeOf } from "../src/engine/shape.ts";
import { trainable } from "../src/models/bind.ts";
import { logitsLayer } from "../src/models/model.ts";
import { type Classifier, type ComputeSpec, type EvaluateSpec, imagesOf } from "./case.ts";
import { buildClassifier } from "./steps/model.ts";
import { priorNetworks } from "./steps/prior.ts";

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
  return logitsFlops(spec) * spec.images;
}

/** Of one image's logits. */
function logitsFlops(classifier: Classifier): number {
  const model = buildClassifier(classifier);
  const one = trainable({ training: false }).apply(logitsLayer(model), input("image", [1, ...model.input]));
  return graphFlops([one]);
}

/** Passes of an image through a classifier: forward, and gradients at inputs and at weights where both are asked for. */
function passesOf(spec: ComputeSpec): number {
  if (spec.kind === "train") return spec.boundary === null ? 3 : 1.75;
  if (spec.kind === "epoch") return 1.25;
  return spec.kind === "fisher" ? 3 : 2;
}

/** Critic and generator cost about as much. */
const BOTH_NETWORKS = 2;

/** About what a step or job costs, for plans: known before anything is prepared. */
export function roughFlops(spec: ComputeSpec): number {
  if (spec.kind === "load") return 0;
  if (spec.kind === "evaluate") return evaluationFlops(spec);
  const passes = imagesOf(spec) * passesOf(spec);
  const classifier = "model" in spec ? logitsFlops(spec) : 0;
  if (!("priorWidth" in spec)) return passes * classifier;
  const { generator, latent, classes = 0 } = priorNetworks(spec);
  const wanted = classes > 0 ? input("wanted", [1, classes]) : undefined;
  const image = trainable({ training: false }).apply(generator, input("z", [1, latent]), wanted);
  // A critic's step renders once and judges both halves, a generator's is mostly its own backward pass: both are about three renderings.
  if (spec.kind === "plg-critic") return 3 * imagesOf(spec) * graphFlops([image]);
  if (spec.kind === "plg-generator") return imagesOf(spec) * (3 * graphFlops([image]) + 2 * classifier);
  // PLG-MI has no critic in its search, and looks at each image twice.
  return spec.kind === "plg-mi"
    ? passes * (2 * classifier + graphFlops([image]))
    : passes * (classifier + BOTH_NETWORKS * graphFlops([image]));
}
