import { readdir } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { random } from "../engine/random.ts";
import { type ImageTree, listImageTree } from "./image-tree.ts";
import { splitSettings } from "./split.ts";

/** Keys of every source that reads a published set from the user's disk. */
export const setKeys = {
  size: z.int().min(8).max(1024).default(64).describe("side of the square images, in pixels"),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(3)
    .describe("3: colour, 1: grey"),
  public: z
    .string()
    .min(1)
    .optional()
    .describe(
      "folder with images of others, in place of the set's own other classes: FFHQ (thumbnails128x128), AFHQ, or one directory a class",
    ),
  publicCrop: z
    .int()
    .min(8)
    .optional()
    .describe("side of the square in the middle that is kept of these, in pixels: 88 for FFHQ's thumbnails"),
  split: splitSettings,
  seed: z
    .int()
    .optional()
    .describe("seed of the draw of private classes and of the split; by default the study's data seed"),
} as const;

/** The key of `setKeys` that says where public images are. */
export interface SetKeys {
  readonly public?: string | undefined;
}

/** Side of the square in the middle of the set's own images that is kept. */
export const cropKey = (side: number, what: string) =>
  z
    .union([z.int().min(8), z.enum(["center", "none"])])
    .default(side)
    .describe(`side of the square in the middle that is kept, in pixels: ${what}`);

/** The images of the given classes, in that order. */
export function classesOf(tree: ImageTree, labels: readonly number[]): ImageTree {
  const place = new Map(labels.map((label, at) => [label, at]));
  return {
    ...tree,
    classes: labels.map((label) => tree.classes[label]!),
    files: tree.files.flatMap((file) => {
      const label = place.get(file.label);
      return label === undefined ? [] : [{ ...file, label }];
    }),
  };
}

/** The first so many images of a tree whose order is drawn by the seed; classes without an image left are dropped. */
export function drawnImages(tree: ImageTree, count: number | undefined, seed: number): ImageTree {
  if (count === undefined || count >= tree.files.length) return tree;
  const kept = [...random(seed, "public images").permutation(tree.files.length).subarray(0, count)].sort(
    (a, b) => a - b,
  );
  const files = kept.map((at) => tree.files[at]!);
  return classesOf(
    { ...tree, files },
    [...new Set(files.map((file) => file.label))].sort((a, b) => a - b),
  );
}

/**
 * Private classes and all others: so many that have `minimum` images, drawn by the seed, or those with most images (ties by name).
 * @throws UserError where too few have that many, or none is left for the public set that has no folder of its own.
 */
export function divideClasses(
  tree: ImageTree,
  name: string,
  options: {
    readonly count: number;
    readonly minimum: number;
    readonly choose: "drawn" | "most-images";
    readonly needOthers: boolean;
  },
  seed: number,
): { readonly private: ImageTree; readonly others: ImageTree } {
  const { count, minimum, choose, needOthers } = options;
  const sizes = new Array<number>(tree.classes.length).fill(0);
  for (const { label } of tree.files) sizes[label]!++;
  const eligible = [...sizes.keys()].filter((label) => sizes[label]! >= minimum);
  if (eligible.length < count) {
    throw new UserError(
      `${name}: ${eligible.length} of ${tree.classes.length} classes under ${tree.root} have ${minimum} images or more, ` +
        `but ${count} private ones are asked for; lower identities or minimum`,
    );
  }
  const order =
    choose === "drawn"
      ? [...random(seed, name, "private classes").permutation(eligible.length)].map((at) => eligible[at]!)
      : eligible.toSorted((a, b) => sizes[b]! - sizes[a]! || a - b);
  const chosen = order.slice(0, count).sort((a, b) => a - b);
  const isPrivate = new Set(chosen);
  const rest = [...sizes.keys()].filter((label) => sizes[label]! > 0 && !isPrivate.has(label));
  if (needOthers && rest.length === 0) {
    throw new UserError(
      `${name}: all ${count} classes under ${tree.root} are private, none is left for the attacker; lower identities, or name a folder of others as public`,
    );
  }
  return { private: classesOf(tree, chosen), others: classesOf(tree, rest) };
}

/** A folder of other people's images. FFHQ's directories of a thousand images (`00000`, `01000`, …) are no classes. */
export async function otherImages(root: string): Promise<ImageTree> {
  const names = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = names.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  const tree = await listImageTree(root, "public", { className: "public" });
  const numbered = folders.length > 0 && folders.every(({ name }) => /^\d{5}$/.test(name));
  if (!numbered) return tree;
  return { ...tree, classes: ["public"], files: tree.files.map((file) => ({ ...file, label: 0 })) };
}

/** The public tree: the user's own folder, or the classes that are left. */
export async function publicTree(config: SetKeys, others: ImageTree): Promise<ImageTree> {
  return config.public === undefined ? others : otherImages(config.public);
}
