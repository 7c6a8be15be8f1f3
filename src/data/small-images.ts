import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { defineData } from "./data.ts";
import type { ImageSet, StudyData } from "./dataset.ts";
import { readIdx } from "./idx.ts";
import { memorySet } from "./memory-set.ts";
import { readMnist } from "./mnist-files.ts";
import { paddedSet } from "./padded-set.ts";
import { splitByClass } from "./split.ts";
import { selectClasses } from "./subset.ts";

// Published sets of a few dozen megabytes, in two official parts each: the private classes' train part trains, their test part tests.

/** A set in its two parts, whose class lists agree. */
interface Parts {
  readonly train: ImageSet;
  readonly test: ImageSet;
}

const SIDE = 28;
const Validation = z
  .number()
  .gt(0)
  .lt(1)
  .default(0.1)
  .describe("share of the private training images on which models are selected");
const Size = z
  .union([z.literal(28), z.literal(32)])
  .default(32)
  .describe("side in pixels; 32 pads the original 28 with zeros");

/** Private classes of one set, others of the same or another one for the attacker. */
function divided(
  name: string,
  owned: Parts,
  keep: readonly number[],
  others: Parts,
  rest: readonly number[],
  validation: number,
  seed: number,
): StudyData {
  const seen = selectClasses(owned.train, keep, `${name} private`);
  const train = selectClasses(others.train, rest, `${name} public`);
  return {
    private: {
      ...splitByClass(seen, { validation }, seed, 2),
      test: selectClasses(owned.test, keep, `${name} private test`),
    },
    public: train,
    pretraining: {
      train: { ...train, name: `${name} pre-training train` },
      test: selectClasses(others.test, rest, `${name} pre-training test`),
    },
    evaluation: seen,
  };
}

const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** The file of the folder with one of the usual spellings, gzipped or not: `x-idx3-ubyte`, `x.idx3-ubyte`, `.gz`. */
async function idxFile(root: string, stem: string, kind: "idx3" | "idx1"): Promise<string> {
  const names = await readdir(root).catch(() => {
    throw new UserError(`${root} does not exist; expected the folder of the IDX files`);
  });
  const wanted = [`${stem}-${kind}-ubyte`, `${stem}.${kind}-ubyte`].flatMap((name) => [name, `${name}.gz`]);
  const found = wanted.find((name) => names.includes(name));
  if (found === undefined) throw new UserError(`${root} has none of ${wanted.join(", ")}`);
  return join(root, found);
}

interface IdxOptions {
  readonly name: string;
  readonly root: string;
  /** The two files' stems without their last word: `train`, `emnist-letters-train`. */
  readonly stem: string;
  readonly classes: readonly string[];
  /** Subtracted from every label on file. */
  readonly first: number;
  readonly transposed: boolean;
  readonly size: 28 | 32;
}

async function idxPart({ name, root, stem, classes, first, transposed, size }: IdxOptions): Promise<ImageSet> {
  const imagesPath = await idxFile(root, `${stem}-images`, "idx3");
  const labelsPath = await idxFile(root, `${stem}-labels`, "idx1");
  const images = await readIdx(imagesPath, 3);
  const labels = await readIdx(labelsPath, 1);
  const [count, rows, columns] = images.dims as [number, number, number];
  if (rows !== SIDE || columns !== SIDE)
    throw new UserError(`${imagesPath}: images of ${rows}×${columns}, expected ${SIDE}×${SIDE}`);
  if (labels.dims[0] !== count)
    throw new UserError(`${labelsPath}: ${labels.dims[0]} labels for the ${count} images of ${imagesPath}`);
  const wrong = labels.bytes.find((label) => label < first || label - first >= classes.length);
  if (wrong !== undefined) {
    throw new UserError(`${labelsPath}: label ${wrong}; expected ${first} to ${first + classes.length - 1}`);
  }
  const set = memorySet({
    name,
    channels: 1,
    height: SIDE,
    width: SIDE,
    classes,
    labels: Int32Array.from(labels.bytes, (label) => label - first),
    bytes: transposed ? turned(images.bytes) : images.bytes,
  });
  return paddedSet(set, (size - SIDE) / 2);
}

/** Rows and columns of every image exchanged. */
function turned(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const area = SIDE * SIDE;
  for (let at = 0; at < bytes.length; at++) {
    const place = at % area;
    out[at - place + (place % SIDE) * SIDE + Math.floor(place / SIDE)] = bytes[at]!;
  }
  return out;
}

const FASHION = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];

/** Fashion-MNIST: the first five classes private, the others public. */
export const fashionMnist = defineData({
  kind: "fashion-mnist",
  summary: "Fashion-MNIST from your disk: five kinds of clothing private, five public",
  config: z.strictObject({
    root: z
      .string()
      .min(1)
      .default("/usr/share/datasets/fashion-mnist")
      .describe(
        "folder with the four IDX files, gzipped or not; by default where Debian's package dataset-fashion-mnist puts them",
      ),
    size: Size,
    validation: Validation,
  }),
  async load({ root, size, validation }, { seed }) {
    const part = (stem: string) =>
      idxPart({ name: `fashion-mnist ${stem}`, root, stem, classes: FASHION, first: 0, transposed: false, size });
    const parts = { train: await part("train"), test: await part("t10k") };
    return divided("fashion-mnist", parts, upTo(0, 5), parts, upTo(5, 10), validation, seed);
  },
});

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/** EMNIST's letters. Its files have rows and columns exchanged, and labels from 1. */
export const emnist = defineData({
  kind: "emnist",
  summary: "EMNIST letters from your disk, for an attack on MNIST's digits or on half of the letters",
  config: z.strictObject({
    root: z
      .string()
      .min(1)
      .describe("folder with emnist-letters-train-images-idx3-ubyte and the other three, gzipped or not"),
    target: z
      .enum(["digits", "letters"])
      .default("digits")
      .describe("digits: MNIST's ten are private and all letters public, as in VMI; letters: A–M private, N–Z public"),
    size: Size,
    validation: Validation,
  }),
  async load({ root, target, size, validation }, { seed }) {
    const part = (which: string) => {
      const stem = `emnist-letters-${which}`;
      return idxPart({ name: `emnist ${which}`, root, stem, classes: LETTERS, first: 1, transposed: true, size });
    };
    const letters = { train: await part("train"), test: await part("test") };
    if (target === "letters") return divided("emnist", letters, upTo(0, 13), letters, upTo(13, 26), validation, seed);
    return divided("emnist", await readMnist(size), upTo(0, 10), letters, upTo(0, 26), validation, seed);
  },
});

const CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const CIFAR_IMAGE = 3 * 32 * 32;

async function cifarPart(root: string, name: string, files: readonly string[]): Promise<ImageSet> {
  const images: Uint8Array[] = [];
  const labels: number[] = [];
  for (const file of files) {
    const path = join(root, file);
    const bytes = await readFile(path).catch((error: Error) => {
      throw new UserError(`${path}: cannot be read: ${error.message}; expected the binary version of CIFAR-10`);
    });
    const record = CIFAR_IMAGE + 1;
    if (bytes.length === 0 || bytes.length % record !== 0) {
      throw new UserError(`${path}: ${bytes.length} bytes are no whole number of records of ${record}`);
    }
    for (let at = 0; at < bytes.length; at += record) {
      const label = bytes[at]!;
      if (label >= CIFAR.length)
        throw new UserError(`${path}: record ${at / record} has label ${label}; expected 0 to 9`);
      labels.push(label);
      images.push(bytes.subarray(at + 1, at + record));
    }
  }
  const header = { name, channels: 3, height: 32, width: 32, classes: CIFAR, labels: Int32Array.from(labels) };
  return memorySet({ ...header, bytes: Buffer.concat(images) });
}

/** CIFAR-10's binary version: the first five classes private, the others public (VMI). */
export const cifar10 = defineData({
  kind: "cifar10",
  summary: "CIFAR-10 from your disk (binary version): five classes private, five public",
  config: z.strictObject({
    root: z
      .string()
      .min(1)
      .describe("cifar-10-batches-bin, with data_batch_1.bin … data_batch_5.bin and test_batch.bin"),
    validation: Validation,
  }),
  async load({ root, validation }, { seed }) {
    const batches = upTo(1, 6).map((i) => `data_batch_${i}.bin`);
    const parts = {
      train: await cifarPart(root, "cifar10 train", batches),
      test: await cifarPart(root, "cifar10 test", ["test_batch.bin"]),
    };
    return divided("cifar10", parts, upTo(0, 5), parts, upTo(5, 10), validation, seed);
  },
});
