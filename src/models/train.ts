import type { ImageSet } from "../data/dataset.ts";
import type { Erasing } from "../data/erase.ts";
import { grad } from "../engine/autodiff.ts";
import { input, type Value } from "../engine/graph.ts";
import { equal, toFloat } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { argMax, mean } from "../engine/ops/reduce.ts";
import { type OptimizerPlan, optimizerState, optimizerUpdates } from "../engine/optimizer.ts";
import { random } from "../engine/random.ts";
import { orRelease, releaseAll } from "../engine/release.ts";
import { compile } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import { createStore, type StateDict, type Store } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { checkFinite, DivergedError, runLoop, type Work } from "../engine/work.ts";
import type { Binding } from "./bind.ts";
import { type Feed, trainingFeed, validationFeed } from "./feed.ts";
import { forward, type View } from "./forward.ts";
import type { Layer } from "./layer.ts";
import { plannedOptimizer, stepCounts, type TrainingSettings } from "./training.ts";

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

/** What takes the steps of a training: it reads images, and runs programs that change the store. */
export interface Steps {
  /** Told once of the number of the first step, which is not 0 in a resumed run. */
  open(first: number): void;
  /** @param share how much of each target row is smoothed  @returns means over the images of the step */
  take(step: number, share: number): Promise<{ readonly loss: number; readonly score: number }>;
  release(): Promise<void>;
}

/** Makes the steps of a training over a store that holds its weights. What else steps change must be added to the store. */
export type StepMaker = (context: {
  readonly training: Training;
  readonly store: Store;
  readonly plan: OptimizerPlan;
  /** Images a step. */
  readonly batch: number;
}) => Promise<Steps>;

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
  /** What takes the steps; by default one gradient step on each batch of a shuffle without end. */
  readonly steps?: StepMaker;
  /**
   * Bytes of features of a fixed prefix that are held in memory, of the training and of the validation images each; 256 MiB by
   * default. More are kept in a file, where the work has a folder.
   */
  readonly featureMemory?: number;
  readonly seed: number;
}

/**
 * Trains and returns the weights and buffers. Each epoch logs a row: epoch, loss, score, validation score.
 * @throws DivergedError when the loss is no longer finite.
 */
export async function train(training: Training): Promise<StateDict> {
  const { work, name, settings, start } = training;
  const { batch, perEpoch, total } = stepCounts(settings, training.train.size);
  const plan = plannedOptimizer(settings, total, perEpoch);
  const smoothing = training.smoothing ?? constantSmoothing(settings.labelSmoothing);
  const settled = smoothing.settled(settings.epochs);
  const store = createStore(start);
  const steps = await (training.steps ?? gradientSteps)({ training, store, plan, batch });
  const judge =
    training.validation && (await orRelease(steps.release, () => evaluator(training, training.validation!, store)));

  const kept = Object.keys(start);
  let best = { score: Number.NEGATIVE_INFINITY, state: start };
  // Sums and best score have the precision of checkpoints: a resumed run must not choose another epoch.
  const sums = new Float32Array(3);
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
      steps.open(first);
      return async (step) => {
        const epoch = Math.floor(step / perEpoch);
        const { loss: l, score: s } = await steps.take(step, smoothing.share(epoch, settings.epochs));
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
  }).finally(() => releaseAll([steps.release, () => judge?.release()]));
  // The loss is known before its update: a last update that went wrong shows in the weights alone.
  for (const { data } of Object.values(best.state))
    for (const x of data) if (!Number.isFinite(x)) throw new DivergedError(`${name}: a weight`, total, x);
  return best.state;
}

/**
 * One gradient step on the objective's loss for each batch of a shuffle without end. Where a fixed prefix hands on the same features of
 * an image every time, it is evaluated once and the steps start from its features.
 */
async function gradientSteps({ training, store, plan, batch }: Parameters<StepMaker>[0]): Promise<Steps> {
  const { objective, targets, name, seed } = training;
  const width = targets[0]!.length;
  const feed = await trainingFeed(training, batch);
  const { net, program } = await orRelease(feed.release, async () => {
    const net = forward(feed.network, batch, true, feed.images);
    const t = input("targets", [batch, width]);
    const [loss, score] = [objective.loss(net.outputs, t, net.view), mean(objective.score(net.outputs, t))];
    store.add(optimizerState(plan, net.weights));
    const program = await compile({
      outputs: { loss, score },
      updates: { ...net.updates, ...optimizerUpdates(plan, net.weights, grad(loss, net.weights)) },
      store,
    });
    return { net, program };
  });
  const fed = new Float32Array(batch * width);
  let order: ReturnType<Feed["open"]> | undefined;
  return {
    open(first) {
      order = feed.open(first);
    },
    async take(step, share) {
      const next = (await order!.next()).value!;
      fillTargets(fed, next.labels, targets, share);
      const noises = Object.entries(net.noises).map(([of, { leaf, shape }]) => [
        leaf!.name,
        random(seed, name, "noise", of, step).normals(sizeOf(shape)),
      ]);
      const result = await program.run({ images: next.images, targets: fed, ...Object.fromEntries(noises) });
      return { loss: result.loss!.data[0]!, score: result.score!.data[0]! };
    },
    // A batch may still be on its way out of what the feed reads from.
    release: () => releaseAll([program.release, () => order?.return(), feed.release]),
  };
}

/** Target rows with one 1, for classification into `classes` classes. */
export function oneHotTargets(classes: number): Float32Array[] {
  return Array.from({ length: classes }, (_, i) => Float32Array.from({ length: classes }, (_, j) => (i === j ? 1 : 0)));
}

/** The same share in every epoch. */
export function constantSmoothing(share: number): Smoothing {
  return { share: () => share, settled: () => 0 };
}

/** Writes the target row of each label, with that share of it spread over all classes. */
export function fillTargets(
  out: Float32Array,
  labels: Int32Array,
  targets: readonly Float32Array[],
  smoothing: number,
): void {
  const width = targets[0]!.length;
  for (const [i, label] of labels.entries()) out.set(targets[label]!, i * width);
  if (smoothing !== 0) for (let i = 0; i < out.length; i++) out[i] = out[i]! * (1 - smoothing) + smoothing / width;
}

/** The mean score over a set with the store's present weights, in evaluation mode. */
async function evaluator(training: Training, set: ImageSet, store: ReturnType<typeof createStore>) {
  const { objective, targets } = training;
  const width = targets[0]!.length;
  // Of one size, so that the last is as full as the others.
  const batch = Math.ceil(set.size / Math.ceil(set.size / 64));
  const feed = await validationFeed(training, set, batch);
  const program = await orRelease(feed.release, async () => {
    const { outputs } = forward(feed.network, batch, false, feed.images);
    // Scores are kept apart by row, so that the old rows behind a last batch that is not full do not count.
    const rows = objective.score(outputs, input("targets", [batch, width]));
    return compile({ outputs: { rows }, store });
  });
  const images = new Float32Array(sizeOf(feed.images.shape));
  const fed = new Float32Array(batch * width);
  return {
    async run(): Promise<number> {
      let sum = 0;
      for await (const part of feed.open(0)) {
        images.set(part.images);
        const size = part.labels.length;
        fillTargets(fed.subarray(0, size * width), part.labels, targets, 0);
        const { rows: scores } = await program.run({ images, targets: fed });
        for (let i = 0; i < size; i++) sum += scores!.data[i]!;
      }
      return sum / set.size;
    },
    release: () => releaseAll([program.release, feed.release]),
  };
}
