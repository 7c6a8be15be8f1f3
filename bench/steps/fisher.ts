import { crossEntropyRows } from "../../src/engine/ops/loss.ts";
import { createStore, type StateDict } from "../../src/engine/store.ts";
import { fisherTraces } from "../../src/fisher/fisher.ts";
import { weightsOf } from "../../src/models/model.ts";
import type { FisherSpec } from "../case.ts";
import { buildClassifier } from "./model.ts";
import type { Step } from "./step.ts";

/**
 * A batch of the per-example Fisher meter: `state` holds the classifier's weights and buffers, `images` [N, 3, S, S] and `labels` [N].
 * Its results are squared gradients: their sum stands for the loss, and their norm over the weights for the gradient's.
 */
export function fisherStep(spec: FisherSpec, state: StateDict): Step {
  const model = buildClassifier(spec);
  const store = createStore(Object.fromEntries(weightsOf(model).map(({ name }) => [name, state[name]!])));
  const check: NonNullable<Step["check"]> = (results) => {
    const traces = Object.values(results).map(({ data }) => data[0]!);
    return { loss: traces.reduce((a, b) => a + b, 0), norm: Math.hypot(...traces) };
  };
  return {
    outputs: fisherTraces(model, "per-example", spec.batch, crossEntropyRows),
    updates: {},
    store,
    feeds: {
      images: state.images!.data,
      labels: Int32Array.from(state.labels!.data),
      real: new Float32Array(spec.batch).fill(1),
    },
    check,
  };
}
