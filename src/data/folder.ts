import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { inClassOrder } from "./class-order.ts";
import { defineData } from "./data.ts";
import type { StudyData } from "./dataset.ts";
import { type ImageTree, listImageTree } from "./image-tree.ts";
import { splitSettings } from "./split.ts";
import { type Role, type StudyTrees, studyOfTrees } from "./study-of-trees.ts";

const Path = z.string().min(1);

const config = z.strictObject({
  private: Path.describe("folder with one directory a person (or class) whose images must not be recovered"),
  public: Path.describe("folder with images of other people: one directory a class, or just images"),
  pretraining: Path.optional().describe(
    "folder with one directory a class for the start weights; by default the public one",
  ),
  evaluation: Path.optional().describe(
    "folder with further images of the private classes for the evaluation model; by default the private training images",
  ),
  classes: z
    .array(z.string().min(1))
    .min(2)
    .optional()
    .describe("the private folders' names in the order of the classes; by default sorted"),
  size: z.int().min(8).max(1024).default(64).describe("side of the square images, in pixels"),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(3)
    .describe("3: colour, 1: grey"),
  crop: z
    .enum(["center", "none"])
    .default("center")
    .describe("center: largest square in the middle; none: the whole image, stretched to a square"),
  split: splitSettings,
  seed: z.int().optional().describe("seed of the split; by default the study's data seed"),
});

/** Images on the user's disk, one directory a class. */
export const folder = defineData({
  kind: "folder",
  summary: "your own images: one directory a class, any format that sharp reads",
  config,
  async load(config, context): Promise<StudyData> {
    return studyOfTrees("folder", await listTrees(config), config, config.seed ?? context.seed, context);
  },
});

/** Lists all folders before any image is decoded, so that a mistake in the last one shows at once. */
async function listTrees(paths: z.output<typeof config>): Promise<StudyTrees> {
  const owned = inClassOrder(await listImageTree(paths.private, "private"), paths.classes);
  if (owned.classes.length < 2) {
    throw new UserError(
      `private folder ${owned.root} has one class ('${owned.classes[0]}'); a classifier needs at least two`,
    );
  }
  await checkApart(paths.private, paths.public, "public");
  const others = await listImageTree(paths.public, "public", { className: "public" });
  let pretraining = others;
  if (paths.pretraining !== undefined) {
    await checkApart(paths.private, paths.pretraining, "pre-training");
    pretraining = await listImageTree(paths.pretraining, "pre-training");
  }
  if (paths.evaluation === undefined) return { private: owned, public: others, pretraining };
  await checkApart(paths.private, paths.evaluation, "evaluation");
  const evaluation = await listImageTree(paths.evaluation, "evaluation");
  checkSameClasses(owned, evaluation);
  return { private: owned, public: others, pretraining, evaluation: inClassOrder(evaluation, paths.classes) };
}

async function checkApart(owned: string, other: string, role: Role): Promise<void> {
  // A folder that is not there is for the listing to report.
  const [ownedPath, otherPath] = await Promise.all([owned, other].map((path) => realpath(path).catch(() => undefined)));
  if (ownedPath === undefined || otherPath === undefined) return;
  if (`${ownedPath}${sep}`.startsWith(`${otherPath}${sep}`) || `${otherPath}${sep}`.startsWith(`${ownedPath}${sep}`)) {
    throw new UserError(`${role} folder ${other} and private folder ${owned} overlap; they must be apart`);
  }
}

function checkSameClasses(owned: ImageTree, evaluation: ImageTree): void {
  const missing = owned.classes.find((name) => !evaluation.classes.includes(name));
  const extra = evaluation.classes.find((name) => !owned.classes.includes(name));
  if (missing === undefined && extra === undefined) return;
  throw new UserError(
    `evaluation folder ${evaluation.root} must have the private folder's classes: ` +
      (missing === undefined ? `'${extra}' is not one of them` : `'${missing}' is missing`),
  );
}
