import { type Rng, random } from "../engine/random.ts";
import { type Augmentation, augment } from "./augment.ts";
import { blurSome } from "./blur.ts";
import type { ImageSet } from "./dataset.ts";
import { type Erasing, erase } from "./erase.ts";
import { imageLength } from "./image-size.ts";
import { toUnit } from "./to-unit.ts";

/**
 * Images ready for a network. The arrays belong to the loader: they hold this batch until the next one is asked for and are
 * then written over, so copy what must last.
 */
export interface Batch {
  /** Number of the batch in its epoch; for `endless` the global step. */
  readonly index: number;
  /** Number of images. */
  readonly size: number;
  /** NCHW, values in [0, 1]. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  /** Each image's index in the set. */
  readonly indices: Int32Array;
}

/** How an epoch is cut into batches. */
export interface BatchOptions {
  /** Images a batch. */
  readonly batch: number;
  readonly seed: number;
  /** Number of the epoch; order and augmentation follow from seed, epoch and batch number alone. */
  readonly epoch: number;
  /** First batch to give: what a resumed run continues with. */
  readonly from?: number;
  /** Leave out a last batch that is not full; kept by default. */
  readonly dropLast?: boolean;
  readonly augment?: Augmentation;
  /** Covers parts of the images, after augmentation. */
  readonly erasing?: Erasing;
  /** Seeded order, the default; false: the set's own order. */
  readonly shuffle?: boolean;
}

/** How an endless shuffle is cut into batches. */
export interface EndlessOptions {
  /** Images a batch; every batch is full, at an epoch's end it goes on into the next. */
  readonly batch: number;
  readonly seed: number;
  /** First step to give. */
  readonly step: number;
  readonly augment?: Augmentation;
  /** Covers parts of the images, after augmentation. */
  readonly erasing?: Erasing;
  /** Each image is changed in so many ways, one an epoch in turn; in ever new ways where it is left out. */
  readonly views?: number;
}

/** The number of batches in an epoch. */
export function batchCount(set: Pick<ImageSet, "size">, batch: number, dropLast = false): number {
  return dropLast ? Math.floor(set.size / batch) : Math.ceil(set.size / batch);
}

/** The batches of one epoch. The next batch is read while the consumer works on the present one. */
export function batches(set: ImageSet, options: BatchOptions): AsyncGenerator<Batch, void, undefined> {
  const { batch, seed, epoch, from = 0, dropLast = false, shuffle = true } = options;
  checkPosition("batch", batch, 1);
  checkPosition("from", from, 0);
  const order = shuffle ? epochOrder(set, seed, epoch) : ascending(set.size);
  return generate(set, batch, from, batchCount(set, batch, dropLast), (index) => {
    const indices = order.subarray(index * batch, (index + 1) * batch);
    return {
      indices,
      read: (into) => readImages(set, indices, into, options, (use) => random(seed, use, epoch, index)),
    };
  });
}

/**
 * Full batches without end over one shuffled epoch after another; batch number i depends on the seed and i alone.
 * For training that counts steps, not epochs.
 */
export function endless(set: ImageSet, options: EndlessOptions): AsyncGenerator<Batch, void, undefined> {
  const { batch, seed, step, views } = options;
  checkPosition("step", step, 0);
  const order = endlessOrder(set, { batch, seed });
  return generate(set, batch, step, Number.POSITIVE_INFINITY, (index) => {
    const { indices, epochs } = order(index);
    return {
      indices,
      read: (into) =>
        views === undefined
          ? readImages(set, indices, into, options, (use) => random(seed, use, "step", index))
          : readViews(set, indices, into, options, { seed, view: (at) => epochs[at]! % views }),
    };
  });
}

/** Which images make up the batches of `endless`, and in which epoch each stands. Asked for in order, no epoch is drawn twice. */
export function endlessOrder(
  set: Pick<ImageSet, "name" | "size">,
  { batch, seed }: Pick<EndlessOptions, "batch" | "seed">,
): (index: number) => { readonly indices: Int32Array; readonly epochs: Int32Array } {
  checkPosition("batch", batch, 1);
  if (set.size === 0) throw new RangeError(`${set.name}: no images to draw batches from`);
  let epoch = -1;
  let order: Int32Array = new Int32Array(0);
  return (index) => {
    const epochs = Int32Array.from({ length: batch }, (_, i) => Math.floor((index * batch + i) / set.size));
    const indices = epochs.map((wanted, i) => {
      if (wanted !== epoch) order = epochOrder(set, seed, wanted);
      epoch = wanted;
      return order[(index * batch + i) % set.size]!;
    });
    return { indices, epochs };
  };
}

/** One view of every image, in the set's own order: what `endless` gives of that seed in the epochs whose turn the view has. */
export function oneView(
  set: ImageSet,
  options: ImageChanges & Pick<EndlessOptions, "batch" | "seed"> & { readonly view: number },
): AsyncGenerator<Batch, void, undefined> {
  const { batch, seed, view } = options;
  const order = ascending(set.size);
  return generate(set, batch, 0, batchCount(set, batch), (index) => {
    const indices = order.subarray(index * batch, (index + 1) * batch);
    return { indices, read: (into) => readViews(set, indices, into, options, { seed, view: () => view }) };
  });
}

/** The whole set in its own order, for evaluation; the last batch may be smaller. */
export function all(set: ImageSet, batch: number): AsyncGenerator<Batch, void, undefined> {
  return batches(set, { batch, seed: 0, epoch: 0, shuffle: false });
}

/** Gives batches `from` … `to − 1`, with one batch prepared ahead in the other of two buffers. */
async function* generate(
  set: ImageSet,
  batch: number,
  from: number,
  to: number,
  plan: (index: number) => { readonly indices: Int32Array; readonly read: (into: Buffers) => Promise<void> },
): AsyncGenerator<Batch, void, undefined> {
  if (from >= to) return;
  const length = imageLength(set);
  const capacity = Math.min(batch, to === Number.POSITIVE_INFINITY ? batch : set.size);
  const bytes = new Uint8Array(capacity * length);
  const buffers = [new Float32Array(bytes.length), new Float32Array(bytes.length)] as const;

  async function prepare(index: number): Promise<Batch> {
    const { indices, read } = plan(index);
    const size = indices.length;
    const images = buffers[index % 2 === 0 ? 0 : 1].subarray(0, size * length);
    await read({ bytes, images });
    return { index, size, images, labels: indices.map((at) => set.labels[at]!), indices: indices.slice() };
  }

  let ahead = prepare(from);
  try {
    for (let index = from; index < to; index++) {
      const ready = await ahead;
      if (index + 1 < to) {
        ahead = prepare(index + 1);
        // A failed read is reported by the next `await`, which may come much later; until then it is not unhandled.
        ahead.catch(() => undefined);
      }
      yield ready;
    }
  } finally {
    await ahead.catch(() => undefined);
  }
}

/** What may be done to training images on their way. */
export type ImageChanges = Pick<BatchOptions, "augment" | "erasing">;

/** Whether the changes leave every image as it is. */
export function changesNothing({ augment: augmentation, erasing }: ImageChanges): boolean {
  if (erasing !== undefined && erasing.probability > 0) return false;
  if (augmentation === undefined) return true;
  const { blur, ...strengths } = augmentation;
  return blur === undefined && Object.values(strengths).every((strength) => strength === 0);
}

/** What is random about the changes, each with a stream of its own. */
type Change = "augment" | "blur" | "erase";

/** `bytes` is scratch space; both hold at least the images that are read. */
interface Buffers {
  readonly bytes: Uint8Array;
  readonly images: Float32Array;
}

/**
 * Reads images and changes them as training does: NCHW, values in [0, 1], one after the other in `images`.
 * @param rng the random stream of each change
 */
export async function readImages(
  set: ImageSet,
  indices: Int32Array,
  { bytes, images }: Buffers,
  changes: ImageChanges,
  rng: (use: Change) => Rng,
): Promise<void> {
  await readBytes(set, indices, { bytes, images });
  changeImages(set, images, indices.length, changes, rng);
}

/**
 * The same with a stream for each image and view: an image looks the same whenever it is read, whatever stands beside it.
 * @param view the view of the image at that place
 */
export async function readViews(
  set: ImageSet,
  indices: Int32Array,
  { bytes, images }: Buffers,
  changes: ImageChanges,
  { seed, view }: { readonly seed: number; readonly view: (at: number) => number },
): Promise<void> {
  await readBytes(set, indices, { bytes, images });
  if (changesNothing(changes)) return;
  const length = imageLength(set);
  for (const [at, index] of indices.entries()) {
    const image = images.subarray(at * length, (at + 1) * length);
    changeImages(set, image, 1, changes, (use) => random(seed, use, "view", view(at), index));
  }
}

async function readBytes(set: ImageSet, indices: Int32Array, { bytes, images }: Buffers): Promise<void> {
  await set.read(indices, bytes);
  toUnit(bytes, images, indices.length * imageLength(set));
}

function changeImages(
  set: ImageSet,
  images: Float32Array,
  size: number,
  { augment: augmentation, erasing }: ImageChanges,
  rng: (use: Change) => Rng,
): void {
  if (augmentation !== undefined) augment(images, size, set, augmentation, rng("augment"));
  if (augmentation?.blur !== undefined) blurSome(images, size, set, augmentation.blur, rng("blur"));
  if (erasing !== undefined) erase(images, size, set, erasing, rng("erase"));
}

function epochOrder(set: Pick<ImageSet, "size">, seed: number, epoch: number): Int32Array {
  return random(seed, "order", epoch).permutation(set.size);
}

function ascending(size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, i) => i);
}

function checkPosition(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name}: expected a whole number of at least ${least}, got ${value}`);
  }
}
