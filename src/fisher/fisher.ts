import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { div, mul } from "../engine/ops/elementwise.ts";
import { crossEntropyRows } from "../engine/ops/loss.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { perExampleGradients, refusalOf } from "../engine/per-example.ts";
import { compile } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { trainable } from "../models/bind.ts";
import { logitsLayer, type Model } from "../models/model.ts";

/**
 * `per-example`: F = E[(∂ℓ/∂θ)²] over single images. `batch-mean`: the square of the gradient of a batch's mean loss, averaged over
 * batches, as released Fisher code has it; it shrinks with the batch, since the gradients of single images cancel before the square.
 */
export type FisherForm = "per-example" | "batch-mean";

/** A loss of each image: logits [N, classes] and one-hot classes [N, classes] to [N]. */
export type RowLoss = (logits: Value, wanted: Value) => Value;

/** The Fisher information of a layer: the mean over its parameters of the diagonal. */
export interface LayerFisher {
  /** The path of its weights: `layer1.0.conv1`. */
  readonly layer: string;
  /** The stage that it belongs to; null for the head. */
  readonly stage: string | null;
  /** Convolutions and linear layers; the others are norms. */
  readonly kernel: boolean;
  readonly parameters: number;
  readonly fisher: number;
}

/** Takes images in, batch by batch, and gives the information of each layer. */
export interface FisherMeter {
  /** @param images [n, C, H, W] in [0, 1]  @param labels the n classes that the loss is about */
  add(images: Float32Array, labels: Int32Array): Promise<void>;
  /** Of all images so far. @throws RangeError before the first one. */
  layers(): readonly LayerFisher[];
  /** Images taken in. */
  count(): number;
  release(): Promise<void>;
}

/**
 * Diagonal Fisher information of a classifier in evaluation mode (Fisher 1922; in this form Kirkpatrick et al. 2017): with the
 * cross-entropy, whose gradient is the score ∂ log p(y|x) / ∂θ, or with another loss of the same shape.
 * @param batch images at a time; every one has a gradient of its own, so memory grows with it. Of `batch-mean` it is the batch.
 */
export async function fisherMeter(options: {
  readonly model: Model;
  readonly state: StateDict;
  readonly form?: FisherForm;
  readonly batch?: number;
  readonly loss?: RowLoss;
}): Promise<FisherMeter> {
  const { model, state, form = "per-example", batch = 16, loss = crossEntropyRows } = options;
  const outputs = fisherTraces(model, form, batch, loss);
  const program = await compile({ outputs, store: createStore(state) });

  const length = sizeOf(model.input);
  const fed = {
    images: new Float32Array(batch * length),
    labels: new Int32Array(batch),
    real: new Float32Array(batch),
  };
  const traces = new Map<string, number>(Object.keys(outputs).map((name) => [name, 0]));
  let [images, batches] = [0, 0];
  return {
    async add(more, labels) {
      for (let at = 0; at < labels.length; at += batch) {
        const rows = Math.min(batch, labels.length - at);
        fed.images.set(more.subarray(at * length, (at + rows) * length));
        fed.labels.set(labels.subarray(at, at + rows));
        for (let i = 0; i < batch; i++) fed.real[i] = i < rows ? 1 : 0;
        const found = await program.run(fed);
        for (const [name, trace] of traces) traces.set(name, trace + found[name]!.data[0]!);
        images += rows;
        batches += 1;
      }
    },
    layers() {
      if (images === 0) throw new RangeError("Fisher information needs an image");
      return byLayer(model, traces, form === "per-example" ? images : batches);
    },
    count: () => images,
    release: () => program.release(),
  };
}

/**
 * The squares of the gradients of a batch, summed, for each weight by its name: of every image's own gradient, or of the batch's mean.
 * Fed are `images` [batch, C, H, W], `labels` [batch], and `real` [batch], 0 for rows that only fill the batch up.
 */
export function fisherTraces(model: Model, form: FisherForm, batch: number, loss: RowLoss): Record<string, Value> {
  const net = trainable({ training: false });
  const logits = net.apply(logitsLayer(model), input("images", [batch, ...model.input]));
  const real = input("real", [batch]);
  const losses = mul(loss(logits, oneHot(input("labels", [batch], "int32"), model.classes)), real);
  const weights = net.trained();
  const gradients =
    form === "per-example" ? ownGradients(model, losses, weights) : grad(div(sum(losses), sum(real)), weights);
  return Object.fromEntries(weights.map((w, i) => [w.leaf!.name, sum(mul(gradients[i]!, gradients[i]!))]));
}

/** @throws UserError that names the model where its images have no gradients of their own. */
function ownGradients({ kind }: Model, losses: Value, weights: readonly Value[]): Value[] {
  try {
    return perExampleGradients(losses, weights);
  } catch (error) {
    throw refusalOf(kind, error);
  }
}

function byLayer(model: Model, traces: ReadonlyMap<string, number>, count: number): LayerFisher[] {
  const parts = [...model.stages, { name: null, layer: model.head }].flatMap(({ name, layer }) =>
    layer.weights.flatMap((w) => (w.kind === "weight" ? [{ stage: name, ...w }] : [])),
  );
  const pathOf = (name: string) => name.split(".").slice(0, -1).join(".");
  return [...new Set(parts.map((w) => pathOf(w.name)))].map((layer) => {
    const tensors = parts.filter((w) => pathOf(w.name) === layer);
    const parameters = tensors.reduce((n, w) => n + sizeOf(w.shape), 0);
    const trace = tensors.reduce((n, w) => n + traces.get(w.name)!, 0);
    const kernel = tensors.some((w) => w.shape.length > 1);
    return { layer, stage: tensors[0]!.stage, kernel, parameters, fisher: trace / count / parameters };
  });
}
