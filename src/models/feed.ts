import type { ImageSet } from "../data/dataset.ts";
import { all, batchCount, changesNothing, endless, endlessOrder, oneView } from "../data/loader.ts";
import { input, type Value } from "../engine/graph.ts";
import { seedFor } from "../engine/random.ts";
import { sizeOf } from "../engine/shape.ts";
import { fixedFeatureShape, lossStartsAtFeatures, type PrefixFeatures, prefixFeatures } from "./prefix-features.ts";
import type { Training } from "./train.ts";
import { stepCounts } from "./training.ts";

/** A batch for a network. The arrays are written over by the next one. */
export interface FeedBatch {
  /** Images, or what a prefix made of them, one after the other. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/** Where a network's batches come from, and which network that is: all of it, or what follows a prefix that was evaluated before. */
export interface Feed {
  readonly network: Pick<Training, "prefix" | "trained" | "train">;
  /** [batch, …], the graph's input of the name `images`. */
  readonly images: Value;
  /** Batches from the given one on. */
  open(first: number): AsyncGenerator<FeedBatch, void, undefined>;
  release(): Promise<void>;
}

/**
 * The batches of a training. They are features of a fixed prefix where every image, or each of its `cachedViews`, is seen more than once
 * and the loss needs nothing but them; the images themselves elsewhere.
 */
export async function trainingFeed(training: Training, batch: number): Promise<Feed> {
  const { train: set, name, seed } = training;
  const found = await trainingFeatures(training, batch);
  if (found === undefined) return imageFeed(training, batch, (first) => shuffled(training, batch, first));
  const { features, views } = found;
  const order = endlessOrder(set, { batch, seed: seedFor(seed, name, "order") });
  return featureFeed({ training, batch, features }, (index) => {
    const { indices, epochs } = order(index);
    return { indices, labels: indices.map((at) => set.labels[at]!), views: epochs.map((epoch) => epoch % views) };
  });
}

/** The batches of a validation set, in its order; features where the prefix is fixed. The last one may be smaller. */
export async function validationFeed(training: Training, set: ImageSet, batch: number): Promise<Feed> {
  const features = await validationFeatures(training, set);
  if (features === undefined) return imageFeed(training, batch, () => all(set, batch));
  const count = batchCount(set, batch);
  return featureFeed({ training, batch, features, count }, (index) => {
    const from = index * batch;
    const indices = Int32Array.from({ length: Math.min(batch, set.size - from) }, (_, i) => from + i);
    return { indices, labels: set.labels.subarray(from, from + indices.length) };
  });
}

/** A training's batches of images in its order, augmented, from the given step on. */
export function shuffled({ name, seed, train: images, settings, erasing }: Training, batch: number, first: number) {
  return endless(images, {
    batch,
    seed: seedFor(seed, name, "order"),
    step: first,
    augment: settings.augment,
    ...(erasing && { erasing }),
    ...(settings.cachedViews !== undefined && { views: settings.cachedViews }),
  });
}

function imageFeed(
  network: Training,
  batch: number,
  open: (first: number) => AsyncGenerator<FeedBatch, void, undefined>,
): Feed {
  const { channels, height, width } = network.train;
  return {
    network,
    images: input("images", [batch, channels, height, width]),
    open,
    release: async () => {},
  };
}

function featureFeed(
  options: {
    readonly training: Training;
    readonly batch: number;
    readonly features: PrefixFeatures;
    /** How many batches there are; without end where it is left out. */
    readonly count?: number;
  },
  plan: (index: number) => { readonly indices: Int32Array; readonly labels: Int32Array; readonly views?: Int32Array },
): Feed {
  const { training, batch, features, count = Number.POSITIVE_INFINITY } = options;
  const { trained, train } = training;
  const length = sizeOf(features.shape);
  return {
    network: { trained, train },
    images: input("images", [batch, ...features.shape]),
    async *open(first) {
      const buffer = new Float32Array(batch * length);
      for (let index = first; index < count; index++) {
        const { indices, labels, views } = plan(index);
        const images = buffer.subarray(0, indices.length * length);
        await features.read(indices, images, views);
        yield { images, labels };
      }
    },
    release: features.release,
  };
}

async function trainingFeatures(training: Training, batch: number) {
  const { train: set, settings, erasing, name, seed } = training;
  const changes = { augment: settings.augment, ...(erasing && { erasing }) };
  const views = changesNothing(changes) ? 1 : settings.cachedViews;
  const seen = stepCounts(settings, set.size).total * batch;
  if (views === undefined || seen <= views * set.size) return undefined;
  const shape = fixedFeatureShape(training);
  if (shape === undefined || !lossStartsAtFeatures(training, batch)) return undefined;
  const features = await prefixFeatures({
    training,
    set,
    shape,
    name,
    views,
    images: (view, size) => oneView(set, { ...changes, batch: size, seed: seedFor(seed, name, "order"), view }),
  });
  return features && { features, views };
}

async function validationFeatures(training: Training, set: ImageSet): Promise<PrefixFeatures | undefined> {
  const { total, perEpoch } = stepCounts(training.settings, training.train.size);
  const shape = total > perEpoch ? fixedFeatureShape(training) : undefined;
  if (shape === undefined) return undefined;
  const name = `${training.name}.validation`;
  return prefixFeatures({ training, set, shape, name, views: 1, images: (_, size) => all(set, size) });
}
