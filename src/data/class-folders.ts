import { readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { defineData } from "./data.ts";
import type { Box } from "./decode-image.ts";
import { cropKey, divideClasses, publicTree, type SetKeys, setKeys } from "./identities.ts";
import { type ImageTree, listImageTree } from "./image-tree.ts";
import { studyOfTrees } from "./study-of-trees.ts";

// Published sets that are one directory a class; what differs is where the directories are, and what of an image counts.

const keys = (root: string, identities: number, crop: number | undefined, what: string) => ({
  root: z.string().min(1).describe(root),
  ...setKeys,
  crop:
    crop === undefined
      ? z
          .union([z.int().min(8), z.enum(["center", "none"])])
          .default("center")
          .describe(what)
      : cropKey(crop, what),
  identities: z.int().min(2).default(identities).describe("private classes, drawn by the seed; the others are public"),
  minimum: z.int().min(3).default(3).describe("images that a private class must have"),
});

const isFolder = async (path: string) => (await stat(path).catch(() => undefined))?.isDirectory() === true;

/** Trees one after the other as one, each under its own folder of `root`. */
function joined(root: string, parts: readonly (readonly [folder: string, tree: ImageTree])[]): ImageTree {
  const classes = parts.flatMap(([, tree]) => tree.classes);
  let before = 0;
  const files = parts.flatMap(([folder, tree]) => {
    const own = tree.files.map((file) => ({ ...file, path: join(folder, file.path), label: before + file.label }));
    before += tree.classes.length;
    return own;
  });
  const twice = classes.find((name, at) => classes.indexOf(name) !== at);
  if (twice !== undefined) throw new UserError(`${root}: class '${twice}' lies in two of its folders`);
  return { root, classes, files };
}

/** FaceScrub: `actors/faces/<Name>/…` and `actresses/faces/<Name>/…`, without `faces`, or all people in one folder. */
async function faceScrubTree(root: string): Promise<ImageTree> {
  const parts: [string, ImageTree][] = [];
  for (const group of ["actors", "actresses"]) {
    if (!(await isFolder(join(root, group)))) continue;
    const cropped = (await isFolder(join(root, group, "faces"))) ? join(group, "faces") : group;
    parts.push([cropped, await listImageTree(join(root, cropped), "facescrub")]);
  }
  return parts.length === 0 ? listImageTree(root, "facescrub") : joined(root, parts);
}

/** FaceScrub: 530 actors and actresses. */
export const facescrub = defineData({
  kind: "facescrub",
  summary: "FaceScrub from your disk: actors and actresses, one directory a person",
  config: z.strictObject(
    keys(
      "FaceScrub's folder, with actors/ and actresses/ (faces/ in each), or one directory a person",
      200,
      undefined,
      "side of the square in the middle that is kept, in pixels (54 of 64 in the low-resolution line), or the largest one",
    ),
  ),
  load: async (config, context) => {
    const tree = await faceScrubTree(config.root);
    return loadClasses("facescrub", tree, config, context);
  },
});

/** PubFig83: 83 people, 100×100. */
export const pubfig = defineData({
  kind: "pubfig",
  summary: "PubFig83 from your disk: one directory a person",
  config: z.strictObject(keys("PubFig83's folder, one directory a person", 50, 67, "the field's 67 of 100×100")),
  load: async (config, context) => loadClasses("pubfig", await listImageTree(config.root, "pubfig"), config, context),
});

/** VGGFace2: private people of `train`, and the 500 other people of `test` for the attacker. */
export const vggface2 = defineData({
  kind: "vggface2",
  summary: "VGGFace2 from your disk: private people of its train part, its test part's people for the attacker",
  config: z.strictObject(
    keys(
      "VGGFace2's folder, with train/ and test/",
      1000,
      undefined,
      "side of the square in the middle that is kept, in pixels, or the largest one",
    ),
  ),
  async load(config, context) {
    const seed = config.seed ?? context.seed;
    const { identities: count, minimum } = config;
    const people = await listImageTree(join(config.root, "train"), "vggface2");
    const options = { count, minimum, choose: "drawn", needOthers: false } as const;
    const { private: owned } = divideClasses(people, "vggface2", options, seed);
    const others =
      config.public === undefined
        ? await listImageTree(join(config.root, "test"), "vggface2")
        : await publicTree(config, people);
    return studyOfTrees("vggface2", { private: owned, public: others, pretraining: others }, config, seed, context);
  },
});

const BOUNDS = ["xmin", "ymin", "xmax", "ymax"] as const;

/** The first box of a Pascal VOC annotation. @throws UserError for a file without one. */
async function boxOf(path: string): Promise<Box> {
  const text = await readFile(path, "utf8").catch((error: Error) => {
    throw new UserError(`${path}: cannot be read: ${error.message}`);
  });
  const bounds = BOUNDS.map((name) => Number(new RegExp(`<${name}>\\s*(\\d{1,6})\\s*</${name}>`).exec(text)?.[1]));
  const [left, top, right, bottom] = bounds as [number, number, number, number];
  if (!(right > left && bottom > top))
    throw new UserError(`${path}: has no bounding box with xmin < xmax and ymin < ymax`);
  return { left, top, width: right - left, height: bottom - top };
}

/** Stanford Dogs: 120 breeds. A class is named after the breed: what follows the first hyphen of its directory's name. */
export const stanfordDogs = defineData({
  kind: "stanford-dogs",
  summary: "Stanford Dogs from your disk: breeds, cropped to the annotated boxes",
  config: z.strictObject({
    ...keys(
      "Stanford Dogs' folder, with Images/ and Annotation/",
      60,
      undefined,
      "of the box or the image: a square in the middle",
    ),
    boxes: z.boolean().default(true).describe("cut images to their annotated box"),
  }),
  async load(config, context) {
    const listed = await listImageTree(join(config.root, "Images"), "stanford-dogs");
    const classes = listed.classes.map((name) => name.replace(/^[^-]*-/, ""));
    const files = config.boxes
      ? await Promise.all(
          listed.files.map(async (file) => {
            const name = basename(file.path, extname(file.path));
            return { ...file, box: await boxOf(join(config.root, "Annotation", dirname(file.path), name)) };
          }),
        )
      : listed.files;
    return loadClasses("stanford-dogs", { ...listed, classes, files }, config, context);
  },
});

interface ClassesConfig extends SetKeys {
  readonly identities: number;
  readonly minimum: number;
  readonly seed?: number | undefined;
}

async function loadClasses(
  name: string,
  tree: ImageTree,
  config: ClassesConfig & Parameters<typeof studyOfTrees>[2],
  context: Parameters<typeof studyOfTrees>[4],
): ReturnType<typeof studyOfTrees> {
  const seed = config.seed ?? context.seed;
  const { identities: count, minimum } = config;
  const options = { count, minimum, choose: "drawn", needOthers: config.public === undefined } as const;
  const { private: owned, others } = divideClasses(tree, name, options, seed);
  const shown = await publicTree(config, others);
  return studyOfTrees(name, { private: owned, public: shown, pretraining: shown }, config, seed, context);
}
