import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { defineData } from "./data.ts";
import { cropKey, divideClasses, drawnImages, publicTree, setKeys } from "./identities.ts";
import type { ImageTree } from "./image-tree.ts";
import { type StudyTrees, studyOfTrees } from "./study-of-trees.ts";
import { labelledList } from "./text-list.ts";

const List = z.string().min(1);
const IMAGES = "img_align_celeba";
const IDENTITIES = "identity_CelebA.txt";

const keys = z.strictObject({
  root: z.string().min(1).describe(`CelebA's folder, with ${IMAGES}/ and ${IDENTITIES}`),
  ...setKeys,
  crop: cropKey(108, "the field's 108 of 178×218"),
  identities: z.int().min(2).default(1000).describe("private people"),
  minimum: z.int().min(3).default(30).describe("images that a private person must have"),
  choose: z
    .enum(["drawn", "most-images"])
    .default("drawn")
    .describe("drawn: by the seed, among those with enough images; most-images: PPA's, the people with most images"),
  publicImages: z
    .int()
    .min(1)
    .default(30_000)
    .describe("images of other people that the attacker has; drawn by the seed"),
  lists: z
    .strictObject({
      train: List.describe("private training images"),
      test: List.describe("private test images, of the same people"),
      public: List.describe("the attacker's images, with their people or 0"),
    })
    .optional()
    .describe("the field's split files, with an image and a label on each line, in place of a draw"),
});

/** CelebA as it is published: aligned images, and a person's number for each. */
export const celeba = defineData({
  kind: "celeba",
  summary:
    "CelebA from your disk: private people, and other people for the attacker, by draw or by the field's split files",
  config: keys,
  async load(config, context) {
    const seed = config.seed ?? context.seed;
    const trees = config.lists === undefined ? await drawnTrees(config, seed) : await listedTrees(config, config.lists);
    return studyOfTrees("celeba", trees, config, seed, context);
  },
});

async function drawnTrees(config: z.output<typeof keys>, seed: number): Promise<StudyTrees> {
  const { identities: count, minimum, choose } = config;
  const people = await treeOf(config.root, join(config.root, IDENTITIES));
  const options = { count, minimum, choose, needOthers: config.public === undefined };
  const { private: owned, others } = divideClasses(people, "celeba", options, seed);
  const tree = await publicTree(config, drawnImages(others, config.publicImages, seed));
  return { private: owned, public: tree, pretraining: tree };
}

async function listedTrees(
  config: z.output<typeof keys>,
  lists: NonNullable<z.output<typeof keys>["lists"]>,
): Promise<StudyTrees> {
  const train = await treeOf(config.root, lists.train);
  const test = await treeOf(config.root, lists.test);
  const stranger = test.classes.find((name) => !train.classes.includes(name));
  if (stranger !== undefined) throw new UserError(`${lists.test}: person ${stranger} is not in ${lists.train}`);
  const aligned = {
    ...test,
    classes: train.classes,
    files: test.files.map((file) => ({ ...file, label: train.classes.indexOf(test.classes[file.label]!) })),
  };
  const listed = await publicTree(config, await treeOf(config.root, lists.public));
  return { private: train, test: aligned, public: listed, pretraining: listed };
}

/** The images of a list, labelled by person. Some copies of the set are PNG files whose lists still say .jpg. */
async function treeOf(root: string, list: string): Promise<ImageTree> {
  const rows = await labelledList(list);
  const folder = join(root, IMAGES);
  const there = new Set(
    await readdir(folder).catch(() => {
      throw new UserError(`${folder} does not exist; celeba needs the aligned images there (img_align_celeba.zip)`);
    }),
  );
  const numbers = [...new Set(rows.map(({ label }) => label))].sort((a, b) => a - b);
  const place = new Map(numbers.map((number, at) => [number, at]));
  const missing: string[] = [];
  const files = rows.flatMap(({ name, label }) => {
    const png = name.replace(/\.jpg$/, ".png");
    const found = there.has(name) ? name : there.has(png) ? png : undefined;
    if (found === undefined) missing.push(name);
    return found === undefined ? [] : [{ path: found, label: place.get(label)! }];
  });
  if (missing.length > 0) {
    throw new UserError(
      `${folder} lacks ${missing.length} of the ${rows.length} images in ${list} (first: ${missing[0]})`,
    );
  }
  return { root: folder, classes: numbers.map(String), files };
}
