import { join } from "node:path";
import type { ImageSet } from "../data/dataset.ts";
import type { Batch } from "../data/loader.ts";
import { input } from "../engine/graph.ts";
import { type Shape, sizeOf } from "../engine/shape.ts";
import { forward, type View } from "./forward.ts";
import { predictor } from "./predict.ts";
import { openRowStore } from "./row-store.ts";
import type { Training } from "./train.ts";

/** What a training's fixed prefix makes of a set's images, evaluated when it is first asked for. */
export interface PrefixFeatures {
  /** Of one image. */
  readonly shape: Shape;
  /** Writes the features of images, one after the other. @param views which view of each image; the first where it is left out */
  read(indices: Int32Array, out: Float32Array, views?: Int32Array): Promise<void>;
  release(): Promise<void>;
}

const MEMORY = 256 * 2 ** 20;
/** Images of one run of the prefix. */
const BATCH = 64;
/** Milliseconds between two reports of how far the evaluation is. */
const REPORTED = 1000;

/**
 * What a fixed prefix shows and hands on, or undefined where it gives another result at another step: it has norms whose statistics
 * follow the data, or layers that draw noise. There is nothing to gain where it has no weights.
 */
function fixedPrefix({ prefix, train }: Training, batch: number) {
  if (prefix === undefined || prefix.layer.weights.length === 0) return undefined;
  const net = prefix.binding(true);
  const features = net.apply(prefix.layer, input("images", [batch, train.channels, train.height, train.width]));
  const changing = [net.updates, net.noises].some((found) => Object.keys(found).length > 0);
  return changing ? undefined : { shape: features.shape.slice(1), observed: net.observed };
}

/** The shape of one image's features where a prefix gives the same ones in every step, else undefined. */
export function fixedFeatureShape(training: Training): Shape | undefined {
  return fixedPrefix(training, 1)?.shape;
}

/** Whether a training's loss can be had from a prefix's features: it looks neither at images nor at layers of the prefix. */
export function lossStartsAtFeatures(training: Training, batch: number): boolean {
  const prefix = fixedPrefix(training, batch);
  if (prefix === undefined) return false;
  const { trained, train, objective, targets } = training;
  const features = input("images", [batch, ...prefix.shape]);
  const { outputs, view } = forward({ trained, train }, batch, true, features);
  let looksBack = false;
  const watched: View = {
    get images() {
      looksBack = true;
      return input("watched", [batch, train.channels, train.height, train.width]);
    },
    observed(name) {
      const before = prefix.observed[name];
      looksBack ||= before !== undefined;
      return before ?? view.observed(name);
    },
  };
  objective.loss(outputs, input("targets", [batch, targets[0]!.length]), watched);
  return !looksBack;
}

/**
 * The features of a set in so many views. They are held in memory up to the training's `featureMemory`, above that in a file of the
 * work's folder.
 * @param shape of one image's features
 * @param name tells files of one work apart
 * @param images a view of all images, in the set's own order
 * @returns undefined where they fit nowhere.
 */
export async function prefixFeatures(options: {
  readonly training: Training;
  readonly set: ImageSet;
  readonly shape: Shape;
  readonly name: string;
  readonly views: number;
  readonly images: (view: number, batch: number) => AsyncIterable<Batch>;
}): Promise<PrefixFeatures | undefined> {
  const { training, set, shape, name, views, images } = options;
  const { work, featureMemory = MEMORY } = training;
  const rows = await openRowStore({
    count: views * set.size,
    length: sizeOf(shape),
    memory: featureMemory,
    ...(work.dir !== undefined && { path: join(work.dir, `${name}.features.f32`) }),
  });
  if (rows === undefined) return undefined;

  async function evaluate(): Promise<void> {
    const { layer, binding } = training.prefix!;
    const batch = Math.min(BATCH, set.size);
    const net = await predictor([set.channels, set.height, set.width], batch, (x) => ({
      features: binding(false).apply(layer, x),
    }));
    let reported = performance.now();
    try {
      for (let view = 0, done = 0; view < views; view++)
        for await (const part of images(view, batch)) {
          work.signal.throwIfAborted();
          const { features } = await net.predict(part.images, part.size);
          await rows!.write(done, features);
          done += part.size;
          if (performance.now() - reported < REPORTED) continue;
          work.progress({ done, total: views * set.size, unit: "images" });
          reported = performance.now();
        }
    } finally {
      await net.release();
    }
  }

  let evaluated: Promise<void> | undefined;
  return {
    shape,
    async read(indices, out, of) {
      evaluated ??= evaluate();
      await evaluated;
      await rows.read(
        indices.map((index, i) => (of?.[i] ?? 0) * set.size + index),
        out,
      );
    },
    release: rows.release,
  };
}
