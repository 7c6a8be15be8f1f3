import { stat } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { defineData } from "./data.ts";
import { divideClasses, otherImages, setKeys } from "./identities.ts";
import type { ImageTree } from "./image-tree.ts";
import { studyOfTrees } from "./study-of-trees.ts";

const keys = z.strictObject({
  root: z
    .string()
    .min(1)
    .describe("a .parquet file, or the folder of a set with its shards at any depth, images in them (not only paths)"),
  part: z
    .string()
    .min(1)
    .optional()
    .describe("read the shards of this part alone: train for train-00000-of-00002.parquet; by default all"),
  image: z.string().min(1).optional().describe("column of encoded images; by default the one that the file says it is"),
  label: z
    .string()
    .min(1)
    .optional()
    .describe(
      "column of people or classes, whole numbers or text; by default the one that the file says it is, or label",
    ),
  ...setKeys,
  public: z
    .string()
    .min(1)
    .optional()
    .describe(
      "images of others, in place of the set's own other classes: another .parquet file or folder of shards, or a folder of images",
    ),
  crop: z
    .union([z.int().min(8), z.enum(["center", "none"])])
    .default("center")
    .describe("center: largest square in the middle; none: stretched to a square; or a square's side, in pixels"),
  identities: z
    .int()
    .min(2)
    .optional()
    .describe(
      "private classes, drawn by the seed; by default half of those with enough images, all where public is given",
    ),
  minimum: z.int().min(3).default(3).describe("images that a private class must have"),
});

/** Sets of images as Hugging Face's Hub keeps them: Parquet tables with a column of encoded images and one of classes. */
export const parquet = defineData({
  kind: "parquet",
  summary:
    "image sets as Parquet tables, as the Hugging Face Hub has them: private classes, and others for the attacker",
  config: keys,
  async load(config, context) {
    const seed = config.seed ?? context.seed;
    const { minimum } = config;
    const { listImageTable } = await imageTables();
    const tree = await listImageTable(config.root, "parquet", config);
    const count = config.identities ?? ownShare(tree, minimum, config.public === undefined);
    const options = { count, minimum, choose: "drawn", needOthers: config.public === undefined } as const;
    const { private: owned, others } = divideClasses(tree, "parquet", options, seed);
    const shown = config.public === undefined ? others : await othersIn(config.public);
    return studyOfTrees("parquet", { private: owned, public: shown, pretraining: shown }, config, seed, context);
  },
});

/** The reader of tables, with its decompressors: loaded by those who read some. */
const imageTables = () => import("./parquet/image-table.ts");

/** How many classes are private where nobody says. */
function ownShare(tree: ImageTree, minimum: number, halved: boolean): number {
  const sizes = new Array<number>(tree.classes.length).fill(0);
  for (const { label } of tree.files) sizes[label]!++;
  const enough = sizes.filter((size) => size >= minimum).length;
  return Math.max(2, halved ? Math.floor(enough / 2) : enough);
}

/** Public images: tables, whose columns are found without names since they are others than the private ones', or files. */
async function othersIn(path: string): Promise<ImageTree> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UserError(`public ${path} does not exist`);
  const { holdsTables, listImageTable } = await imageTables();
  return (await holdsTables(path)) ? listImageTable(path, "public", {}, "public") : otherImages(path);
}
