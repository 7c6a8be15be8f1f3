import type { ImageSet } from "../data/dataset.ts";
import type { Erasing } from "../data/erase.ts";
import { all, endless } from "../data/loader.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { equal, toFloat } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { argMax, mean } from "../engine/ops/reduce.ts";
import { optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random, seedFor } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { checkFinite, DivergedError, runLoop, type Work } from "../engine/work.ts";
import { type Binding, trainable } from "./bind.ts";
import type { Layer } from "./layer.ts";
import { plannedOptimizer, type TrainingSettings } from "./training.ts";

/** What a loss may look at beside outputs and targets. */
export interface View {
  /** [N, C, H, W], values in [0, 1], as the network gets them: augmented. */
  readonly images: Value;
  /** What a layer shows under that name, such as a stage's output. @throws RangeError where none does. */
  observed(name: string): Value;
}

/** What is learnt: the loss that is minimised (a mean over the batch), and a score of each row (higher is better) that chooses the best epoch. */
export interface Objective {
  /** [N, …] and [N, width] to one number. */
  loss(outputs: Value, targets: Value, view: View): Value;
  /** [N, …] and [N, width] to [N]. */
  score(outputs: Value, targets: Value): Value;
}

/** Cross-entropy, scored by accuracy. */
export const classification: Objective = {
  loss: crossEntropy,
  score: (logits, targets) => toFloat(equal(argMax(logits), argMax(targets))),
};

/** How much of each target row is spread evenly over all classes, epoch by epoch; negative shares push the other classes below zero. */
export interface Smoothing {
  /** The share in the given epoch (0 is the first) of so many. */
  share(epoch: number, epochs: number): number;
  /** The first epoch that trains as it is meant to at the end: none before it is kept as the best one. */
  settled(epochs: number): number;
}

/** A network on its way from first weights to trained ones. */
export interface Training {
  readonly work: Work;
  /** Name of the checkpoint and of the logged rows. */
  readonly name: string;
  /** What stands before the trained part, with fixed weights; its buffers may follow the data. */
  readonly prefix?: { readonly layer: Layer; readonly binding: (training: boolean) => Binding };
  readonly trained: Layer;
  /** First values of everything that `trained` keeps, and of the prefix's buffers if they follow. */
  readonly start: StateDict;
  readonly objective: Objective;
  /** The target row of each class, all of one length. */
  readonly targets: readonly Float32Array[];
  readonly train: ImageSet;
  /** Judges each epoch; the weights of the best one (the last of several) are kept. Without it, the last epoch's are. */
  readonly validation?: ImageSet;
  readonly settings: TrainingSettings;
  /** Takes the place of the settings' `labelSmoothing`. */
  readonly smoothing?: Smoothing;
  /** Covers parts of the training images. */
  readonly erasing?: Erasing;
  readonly seed: number;
}

/**
 * Trains and returns the weights and buffers. Each epoch logs a row: epoch, loss, score, validation score.
 * @throws DivergedError when the loss is no longer finite.
 */
export async function train(training: Training): Promise<StateDict> {
  const { work, name, objective, targets, settings, seed, start } = training;
  const width = targets[0]!.length;
  const batch = Math.min(settings.batch, training.train.size);
  const perEpoch = Math.ceil(training.train.size / batch);
  const total = Math.max(1, Math.round(settings.epochs * perEpoch));
  const plan = plannedOptimizer(settings, total, perEpoch);

  const net = forward(training, batch, true);
  const t = input("targets", [batch, width]);
  const [loss, score] = [objective.loss(net.outputs, t, net.view), mean(objective.score(net.outputs, t))];
  const smoothing = training.smoothing ?? constantSmoothing(settings.labelSmoothing);
  const settled = smoothing.settled(settings.epochs);
  const weights = net.weights;
  const store = createStore(start);
  store.add(optimizerState(plan, weights));
  const program = await compile({
    outputs: { loss, score },
    updates: { ...net.updates, ...optimizerUpdates(plan, weights, grad(loss, weights)) },
    store,
  });
  const judge = training.validation && (await evaluator(training, training.validation, store));

  const kept = Object.keys(start);
  let best = { score: Number.NEGATIVE_INFINITY, state: start };
  // Sums and best score have the precision of checkpoints: a resumed run must not choose another epoch.
  const sums = new Float32Array(3);
  const fed = new Float32Array(batch * width);
  await runLoop({
    work,
    name,
    total,
    unit: "steps",
    store,
    extra: {
      save: () => ({ sums: tensor(sums.slice(), [3]), score: tensor([best.score], []), ...best.state }),
      load({ sums: savedSums, score: savedScore, ...state }) {
        sums.set(savedSums!.data);
        best = { score: savedScore!.data[0]!, state };
      },
    },
    async open(first) {
      const order = endless(training.train, {
        batch,
        seed: seedFor(seed, name, "order"),
        step: first,
        augment: settings.augment,
        ...(training.erasing && { erasing: training.erasing }),
      });
      return async (step) => {
        const next = (await order.next()).value!;
        const epoch = Math.floor(step / perEpoch);
        fillTargets(fed, next.labels, targets, smoothing.share(epoch, settings.epochs));
        const noises = Object.entries(net.noises).map(([of, { leaf, shape }]) => [
          leaf!.name,
          random(seed, name, "noise", of, step).normals(sizeOf(shape)),
        ]);
        const result = await program.run({ images: next.images, targets: fed, ...Object.fromEntries(noises) });
        const [l, s] = [result.loss!.data[0]!, result.score!.data[0]!];
        checkFinite(name, step, l);
        for (const [i, x] of [l, s, 1].entries()) sums[i]! += x;
        if ((step + 1) % perEpoch === 0 || step + 1 === total) {
          const means = { loss: sums[0]! / sums[2]!, score: sums[1]! / sums[2]! };
          const judged = await judge?.run();
          await work.log({
            training: name,
            epoch: (step + 1) / perEpoch,
            ...means,
            ...(judged !== undefined && { validation: judged }),
          });
          const reached = Math.fround(judged ?? Number.POSITIVE_INFINITY);
          const eligible = epoch >= settled || step + 1 === total;
          if (eligible && reached >= best.score) best = { score: reached, state: store.snapshot(kept) };
          sums.fill(0);
        }
        return { loss: l, score: s };
      };
    },
  });
  await program.release();
  await judge?.release();
  // The loss is known before its update: a last update that went wrong shows in the weights alone.
  for (const { data } of Object.values(best.state))
    for (const x of data) if (!Number.isFinite(x)) throw new DivergedError(`${name}: a weight`, total, x);
  return best.state;
}

/** Target rows with one 1, for classification into `classes` classes. */
export function oneHotTargets(classes: number): Float32Array[] {
  return Array.from({ length: classes }, (_, i) => Float32Array.from({ length: classes }, (_, j) => (i === j ? 1 : 0)));
}

/** The same share in every epoch. */
export function constantSmoothing(share: number): Smoothing {
  return { share: () => share, settled: () => 0 };
}

function fillTargets(out: Float32Array, labels: Int32Array, targets: readonly Float32Array[], smoothing: number): void {
  const width = targets[0]!.length;
  for (const [i, label] of labels.entries()) out.set(targets[label]!, i * width);
  if (smoothing !== 0) for (let i = 0; i < out.length; i++) out[i] = out[i]! * (1 - smoothing) + smoothing / width;
}

function forward({ prefix, trained, train: set }: Training, batch: number, training: boolean) {
  const images = input("images", [batch, set.channels, set.height, set.width]);
  const before = prefix?.binding(training);
  const net = trainable({ training });
  const outputs = net.apply(trained, before === undefined ? images : before.apply(prefix!.layer, images));
  const observed = { ...before?.observed, ...net.observed };
  const view: View = {
    images,
    observed(name) {
      const found = observed[name];
      if (found === undefined)
        throw new RangeError(`no layer shows ${name}; there are ${Object.keys(observed).join(", ")}`);
      return found;
    },
  };
  const noises = { ...before?.noises, ...net.noises };
  return { outputs, view, noises, weights: net.trained(), updates: { ...before?.updates, ...net.updates } };
}

/** The mean score over a set with the store's present weights, in evaluation mode. */
async function evaluator(training: Training, set: ImageSet, store: ReturnType<typeof createStore>) {
  const { objective, targets } = training;
  const width = targets[0]!.length;
  const batch = Math.min(64, set.size);
  const { outputs } = forward(training, batch, false);
  const target = input("targets", [batch, width]);
  // Scores are kept apart by row, so that the old rows behind a last batch that is not full do not count.
  const rows = objective.score(outputs, target);
  const program = await compile({ outputs: { rows }, store });
  const length = set.channels * set.height * set.width;
  const images = new Float32Array(batch * length);
  const fed = new Float32Array(batch * width);
  return {
    async run(): Promise<number> {
      let sum = 0;
      for await (const part of all(set, batch)) {
        images.set(part.images);
        fillTargets(fed.subarray(0, part.size * width), part.labels, targets, 0);
        const { rows: scores } = await program.run({ images, targets: fed });
        for (let i = 0; i < part.size; i++) sum += scores!.data[i]!;
      }
      return sum / set.size;
    },
    release: () => program.release(),
  };
}
