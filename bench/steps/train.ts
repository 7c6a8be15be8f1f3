import { bidoHsic } from "../../src/defenses/bido-hsic.ts";
import type { Penalty } from "../../src/defenses/defense.ts";
import { grad } from "../../src/engine/autodiff.ts";
import { input, type Value } from "../../src/engine/graph.ts";
import { add } from "../../src/engine/ops/elementwise.ts";
import { crossEntropy } from "../../src/engine/ops/loss.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { optimizerState, optimizerUpdates } from "../../src/engine/optimizer.ts";
import { createStore, type StateDict } from "../../src/engine/store.ts";
import { fixed, trainable } from "../../src/models/bind.ts";
import { splitAt } from "../../src/models/model.ts";
import { classification } from "../../src/models/train.ts";
import { plannedOptimizer, TrainingSettings } from "../../src/models/training.ts";
import type { EpochSpec, TrainSpec } from "../case.ts";
import { buildClassifier } from "./model.ts";
import { jointNorm, type Step } from "./step.ts";

/** SGD with momentum as targets are trained, at a rate so small that repeated steps on one batch stay alike. */
export const settings: TrainingSettings = TrainingSettings.parse({ rate: 1e-3, schedule: "constant" });

/** Steps of an epoch and of all epochs; the schedule is constant, so they do not matter. */
const STEPS = 1000;

/**
 * The step of `trainTarget` where images go through the whole network, as with random augmentation: `state` holds the classifier's weights and
 * buffers, `images` [N, 3, S, S] and `targets` [N, K].
 */
export function trainStep(spec: TrainSpec, state: StateDict): Step {
  const model = buildClassifier(spec);
  const { frozen } = splitAt(model, spec.boundary);
  const images = input("images", [spec.batch, ...model.input]);
  const penalties =
    spec.defense === undefined ? [] : (bidoHsic.recipe(bidoHsic.config.parse({}), model).penalties ?? []);
  const step = tailStep(spec, state, fixed(state).apply(frozen, images), { images, penalties });
  return { ...step, feeds: { images: state.images!.data, targets: state.targets!.data } };
}

/**
 * The step of the stages behind the boundary, from what the frozen ones hand on. It is fed `targets` [N, K] and what that is made of.
 * @param penalties terms that a defense adds to the loss, which look at `images`
 */
export function tailStep(
  spec: TrainSpec | EpochSpec,
  state: StateDict,
  handed: Value,
  { images = handed, penalties = [] }: { readonly images?: Value; readonly penalties?: readonly Penalty[] } = {},
): Step {
  const model = buildClassifier(spec);
  const { rest } = splitAt(model, spec.boundary);
  const targets = input("targets", [spec.batch, spec.classes]);
  const net = trainable({ training: true });
  const logits = net.apply(rest, handed);
  const view = { images, observed: (name: string) => net.observed[name]! };
  const loss = penalties.reduce((sum, term) => add(sum, term(logits, targets, view)), crossEntropy(logits, targets));
  const weights = net.trained();
  const plan = plannedOptimizer(settings, STEPS, STEPS);
  const store = createStore(Object.fromEntries(rest.weights.map(({ name }) => [name, state[name]!])));
  store.add(optimizerState(plan, weights));
  return {
    outputs: { loss, score: mean(classification.score(logits, targets)) },
    updates: { ...net.updates, ...optimizerUpdates(plan, weights, grad(loss, weights)) },
    store,
    feeds: {},
    gradientNorm: () =>
      jointNorm(
        weights.map((w) => {
          const name = w.leaf!.name;
          const slot = store.get(`${plan.name}/${name}/momentum`).data;
          return { slot, scale: 1, weight: state[name]!.data, decay: settings.weightDecay };
        }),
      ),
  };
}
