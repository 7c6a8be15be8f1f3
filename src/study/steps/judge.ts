import { join } from "node:path";
import type { ImageSet } from "../../data/dataset.ts";
import { imageLength } from "../../data/image-size.ts";
import { all } from "../../data/loader.ts";
import { indicesByClass, subset } from "../../data/subset.ts";
import type { Evidence, PictureBatch } from "../../metrics/metric.ts";
import { perceptualEmbedding } from "../../metrics/perceptual-embedding.ts";
import type { Model } from "../../models/model.ts";
import { classifierPredictor, type Predictor, predictor, predictSet } from "../../models/predict.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import { askedOf, remembered } from "./remembered.ts";

/** Private images that are held at a time. */
const BATCH = 32;

/** Images whose activations are computed at a time: few, as a class often has no more, and activations of all layers are large. */
const EMBEDDED = 8;

/** Images, and what each shows. */
export interface LabelledImages {
  readonly labels: Int32Array;
  /** n × C·H·W, values in [0, 1]. */
  readonly images: Float32Array;
}

/** The evaluation model at work. */
export interface Judge {
  /** Length of its feature vectors. */
  readonly featureLength: number;
  /** Its answers and features of images. */
  judge(images: LabelledImages): Promise<Evidence["reconstructions"]>;
  /** Its features of a whole set. */
  features(set: ImageSet): Promise<Float32Array>;
  embed(images: Float32Array, count: number): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * Compiles the evaluation model that a step has trained; the perceptual distance's network too where it is asked for.
 * @param dir the step's folder
 */
export async function openJudge(model: Model, dir: string): Promise<Judge> {
  const state = await readState(join(dir, WEIGHTS));
  const net = await classifierPredictor(model, state);
  let embedding: Promise<Predictor<"embedding">> | undefined;
  return {
    featureLength: model.features,
    judge: async ({ images, labels }) => ({ labels, ...(await net.predict(images, labels.length)) }),
    features: (set) => remembered("features", askedOf(dir, set), async () => (await predictSet(net, set)).features),
    async embed(images, count) {
      embedding ??= predictor(model.input, EMBEDDED, (x) => ({ embedding: perceptualEmbedding(model, state, x) }));
      return (await (await embedding).predict(images, count)).embedding;
    },
    async release() {
      await net.release();
      await (await embedding)?.release();
    },
  };
}

/** The images of one class of a set, in batches that are read when they are asked for. */
export function imagesOfClass(set: ImageSet): (label: number) => AsyncGenerator<PictureBatch, void, undefined> {
  const ofClass = indicesByClass(set);
  return async function* (label) {
    const own = subset(set, ofClass[label] ?? [], { name: `class ${label} of ${set.name}` });
    for await (const { images, size } of all(own, BATCH)) yield { images, count: size };
  };
}

/** As many images of each class as `labels` has of it, the first ones of a set (fewer where it has fewer), class by class. */
export async function sameNumber(set: ImageSet, labels: Int32Array): Promise<LabelledImages> {
  const ofClass = indicesByClass(set);
  const wanted = new Map<number, number>();
  for (const label of labels) wanted.set(label, (wanted.get(label) ?? 0) + 1);
  const chosen = [...wanted].flatMap(([label, count]) => [...(ofClass[label] ?? [])].slice(0, count));
  const images = new Float32Array(chosen.length * imageLength(set));
  let at = 0;
  for await (const batch of all(subset(set, chosen, { name: `some of ${set.name}` }), BATCH)) {
    images.set(batch.images, at);
    at += batch.images.length;
  }
  return { images, labels: Int32Array.from(chosen, (i) => set.labels[i]!) };
}
