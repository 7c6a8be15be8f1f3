import { random } from "../engine/random.ts";
import { viewHash } from "./content-hash.ts";
import type { ImageSet } from "./dataset.ts";

/** How a view differs from the set it shows. Without `classes` it keeps the set's class list and labels. */
export interface SubsetOptions {
  readonly name: string;
  readonly classes?: readonly string[];
  /** The new label of each old label; this or `labels` is needed with `classes`. */
  readonly relabel?: ReadonlyMap<number, number>;
  /** The new label of each image of the view, whatever its old one. */
  readonly labels?: Int32Array;
}

/** A set that shows images of another. */
export interface View extends ImageSet {
  /** Which image of the set below each of its own is. */
  readonly indices: Int32Array;
}

/** A view of the images of the given indices, in that order. Reads go to the set below; no pixel is copied. */
export function subset(set: ImageSet, indices: ArrayLike<number>, options: SubsetOptions): View {
  const chosen = Int32Array.from(indices);
  const { labels: given } = options;
  if (given !== undefined && given.length !== chosen.length)
    throw new RangeError(`${options.name}: ${given.length} labels for ${chosen.length} images`);
  const labels = chosen.map((index, at) => {
    const label = set.labels[index];
    if (label === undefined)
      throw new RangeError(`${options.name}: no image ${index} among the ${set.size} of ${set.name}`);
    if (given !== undefined) return given[at]!;
    if (options.relabel === undefined) return label;
    const renamed = options.relabel.get(label);
    if (renamed === undefined) throw new RangeError(`${options.name}: no new label for label ${label} of ${set.name}`);
    return renamed;
  });
  const classes = options.classes ?? set.classes;
  return {
    name: options.name,
    channels: set.channels,
    height: set.height,
    width: set.width,
    size: chosen.length,
    classes,
    labels,
    indices: chosen,
    hash: viewHash(set.hash, { indices: Array.from(chosen), classes, labels: Array.from(labels) }),
    async read(wanted, out) {
      const below = Int32Array.from(wanted, (index) => {
        const at = chosen[index];
        if (at === undefined) throw new RangeError(`${options.name}: no image ${index} among ${chosen.length}`);
        return at;
      });
      await set.read(below, out);
    },
  };
}

/** A view of the images of the given classes (labels of `set`); the first of them becomes label 0, and so on. */
export function selectClasses(set: ImageSet, keep: readonly number[], name: string): ImageSet {
  const relabel = new Map(keep.map((label, position) => [label, position]));
  if (relabel.size !== keep.length) throw new RangeError(`${name}: a class is named twice in ${keep.join(", ")}`);
  const classes = keep.map((label) => {
    const className = set.classes[label];
    if (className === undefined) throw new RangeError(`${name}: ${set.name} has no class ${label}`);
    return className;
  });
  const indices = indicesByClass(set).flatMap((images, label) => (relabel.has(label) ? Array.from(images) : []));
  return subset(
    set,
    indices.sort((a, b) => a - b),
    { name, classes, relabel },
  );
}

/** For each class the indices of its images, ascending. */
export function indicesByClass(set: Pick<ImageSet, "labels" | "classes">): Int32Array[] {
  const lists: number[][] = set.classes.map(() => []);
  for (const [index, label] of set.labels.entries()) lists[label]!.push(index);
  return lists.map((list) => Int32Array.from(list));
}

/**
 * A view of at most `limit` images of each class (all where it is undefined), drawn by the seed and the set's name. A larger
 * limit keeps the images of a smaller one.
 */
export function limitPerClass(set: ImageSet, limit: number | undefined, seed: number): ImageSet {
  if (limit === undefined) return set;
  const kept = indicesByClass(set).flatMap((images, label) => {
    const order = random(seed, "limit", set.name, set.classes[label]!).permutation(images.length);
    return Array.from(order.subarray(0, limit), (position) => images[position]!);
  });
  return subset(
    set,
    kept.sort((a, b) => a - b),
    { name: set.name },
  );
}
