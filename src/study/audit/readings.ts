import type { ImageSet } from "../../data/dataset.ts";
import { subset } from "../../data/subset.ts";
import type { StateDict } from "../../engine/store.ts";
import { wilson } from "../../metrics/interval.ts";
import type { Measured } from "../../metrics/measured.ts";
import type { Model } from "../../models/model.ts";
import { Normalize } from "../../models/normalize.ts";
import { classifierPredictor, predictSet } from "../../models/predict.ts";
import { buildModel, type Choice } from "../choose.ts";

/** Another way to show images to a brought classifier, and how often it is right then. */
export interface Reading {
  /** The option that asks for it: `--normalize imagenet`. */
  readonly option: string;
  readonly accuracy: Measured;
}

/** What a classifier makes of images. */
export interface Answered {
  readonly accuracy: Measured;
  /** The class that each image is taken for. */
  readonly predicted: Int32Array;
  readonly labels: Int32Array;
}

/** Images that a reading is tried on, at most. */
const TRIED = 500;

/** Images from all over a set: enough to tell readings apart. */
export function someOf(set: ImageSet): ImageSet {
  const step = Math.max(1, Math.ceil(set.size / TRIED));
  const indices = Array.from({ length: Math.ceil(set.size / step) }, (_, i) => i * step);
  return subset(set, indices, { name: `${set.name}, some` });
}

/** Asks a classifier for the classes of images. */
export async function answersTo(model: Model, state: StateDict, images: ImageSet): Promise<Answered> {
  const net = await classifierPredictor(model, state);
  const { logits } = await predictSet(net, images);
  await net.release();
  const { classes } = model;
  const predicted = Int32Array.from(images.labels, (_, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
  const right = predicted.filter((label, i) => label === images.labels[i]).length;
  return { accuracy: wilson(right, images.size), predicted, labels: images.labels };
}

/** Tries every other common way to show images to the classifier, best first. */
export async function otherReadings(choice: Choice, state: StateDict, images: ImageSet): Promise<Reading[]> {
  const shape = { input: [images.channels, images.height, images.width], classes: images.classes.length } as const;
  const found: Reading[] = [];
  for (const { option, keys } of alternatives(choice)) {
    const model = buildModel({ ...choice, ...keys }, shape);
    found.push({ option, accuracy: (await answersTo(model, state, images)).accuracy });
  }
  return found.sort((a, b) => b.accuracy.value - a.accuracy.value);
}

function alternatives(choice: Choice): { option: string; keys: Record<string, unknown> }[] {
  const given = (...keys: readonly string[]) => keys.some((key) => choice[key] !== undefined);
  const without = (option: string, ...keys: readonly string[]) =>
    given(...keys) ? [{ option, keys: Object.fromEntries(keys.map((key) => [key, undefined])) }] : [];
  const scales = Normalize.options
    .filter((name) => name !== choice.normalize)
    .map((name) => ({ option: `--normalize ${name}`, keys: { normalize: name } }));
  const plain = without("no --normalize", "normalize");
  if (choice.kind !== "onnx") return [...plain, ...scales];
  const numbers = [...without("no --range", "range"), ...without("no --mean and no --std", "mean", "std")];
  const bytes = { option: "--range 0,255", keys: { range: [0, 255] } };
  const order = choice.channels === "bgr" ? "rgb" : "bgr";
  return [...plain, ...numbers, ...scales, bytes, { option: `--channels ${order}`, keys: { channels: order } }];
}
