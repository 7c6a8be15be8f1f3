import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { defineData } from "./data.ts";
import { drawnImages, setKeys } from "./identities.ts";
import { type ImageTree, listImageTree } from "./image-tree.ts";
import { studyOfTrees } from "./study-of-trees.ts";

/** FFHQ's own folders, and the side in pixels that the field keeps of each: 88 of 128, and as much of the full size. */
const FOLDERS = [
  { name: "thumbnails128x128", crop: 88 },
  { name: "images1024x1024", crop: 704 },
] as const;

const Path = z.string().min(1);

const keys = z
  .strictObject({
    root: Path.describe(
      "FFHQ's folder, with thumbnails128x128/ (or images1024x1024/); or that folder itself, numbered folders or PNG files in it",
    ),
    private: Path.describe("folder with one directory a person whose images must not be recovered: FFHQ has no names"),
    pretraining: Path.optional().describe(
      "folder with one directory a class of other people for the start weights; by default FFHQ, which has one class",
    ),
    ...setKeys,
    crop: z
      .union([z.int().min(8), z.enum(["center", "none"])])
      .default("center")
      .describe("of private images: largest square in the middle, stretched to one, or a square's side, in pixels"),
    publicCrop: z
      .int()
      .min(8)
      .optional()
      .describe(
        "side of the square in the middle that is kept of FFHQ's images, in pixels; by default 88 of thumbnails, 704 of 1024",
      ),
    publicImages: z.int().min(1).optional().describe("images that the attacker has, drawn by the seed; by default all"),
  })
  .omit({ public: true });

/** FFHQ as the attacker's images, beside private people of your own. */
export const ffhq = defineData({
  kind: "ffhq",
  summary: "FFHQ from your disk for the attacker, as it is published; private people from a folder of yours",
  config: keys,
  async load(config, context) {
    const seed = config.seed ?? context.seed;
    const owned = await listImageTree(config.private, "private");
    if (owned.classes.length < 2)
      throw new UserError(`private folder ${owned.root} has one class; a classifier needs at least two`);
    const { tree: all, crop } = await ffhqTree(config.root);
    const shown = drawnImages(all, config.publicImages, seed);
    const pretraining =
      config.pretraining === undefined ? shown : await listImageTree(config.pretraining, "pre-training");
    const options = { ...config, publicCrop: config.publicCrop ?? crop };
    return studyOfTrees("ffhq", { private: owned, public: shown, pretraining }, options, seed, context);
  },
});

/** All faces as one class: directories of a thousand are no people. */
async function ffhqTree(root: string): Promise<{ tree: ImageTree; crop: number }> {
  const names = await readdir(root).catch(() => {
    throw new UserError(`ffhq: ${root} does not exist`);
  });
  const own = FOLDERS.find(({ name }) => names.includes(name));
  const folder = own === undefined ? root : join(root, own.name);
  const { crop } = own ?? FOLDERS.find(({ name }) => root.replace(/\/+$/, "").endsWith(name)) ?? FOLDERS[0];
  const listed = await listImageTree(folder, "ffhq", { className: "ffhq" });
  const strange = listed.files.find(({ path }) => !/^(?:\d{5}\/)?\d{5}\.(?:png|jpg|jpeg|webp)$/i.test(path));
  if (strange !== undefined)
    throw new UserError(
      `${join(folder, strange.path)} is no image of FFHQ; expected ${FOLDERS[0].name}/00000/00000.png, or 00000.png`,
    );
  return { tree: { ...listed, classes: ["ffhq"], files: listed.files.map((file) => ({ ...file, label: 0 })) }, crop };
}
