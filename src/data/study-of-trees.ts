import type { DataContext } from "./data.ts";
import type { PrivateSplit, StudyData } from "./dataset.ts";
import type { DecodeOptions } from "./decode-image.ts";
import { decodeTree } from "./decoded-tree.ts";
import type { ImageTree } from "./image-tree.ts";
import type { RawFileSet } from "./raw-file-set.ts";
import { checkNoSharedImage, type ImageLot } from "./shared-images.ts";
import { splitByClass, splitPrivate } from "./split.ts";

/** What a tree is for, as messages and set names say it. */
export type Role = "private" | "private test" | "public" | "pre-training" | "evaluation";

/** Listed images of a study, by what they are for. */
export interface StudyTrees {
  readonly private: ImageTree;
  readonly public: ImageTree;
  /** The public tree itself where its labels serve. */
  readonly pretraining: ImageTree;
  readonly evaluation?: ImageTree;
  /** Where it is given, all of `private` is for training and validation. */
  readonly test?: ImageTree;
}

/** How images are decoded and divided. */
export interface StudyTreesOptions extends DecodeOptions {
  readonly split: { readonly validation: number; readonly test: number };
  /** Of images of the public set, where it is not the private one's. */
  readonly publicCrop?: DecodeOptions["crop"] | undefined;
}

/** An attacker who holds a private image needs no attack; every number after that would be worth nothing. */
const OUTSIDE = "private people must not occur outside of the private images";
/** What a model knows by heart says nothing of how well it knows people. */
const UNSEEN = "a model must not be tested on what it was trained on";
const HELD_BACK = "the evaluation model is selected and tested on them, and must not be trained on them";

/**
 * Decodes a study's images and divides the private ones.
 * @throws UserError for an unreadable image, a class that is too small, an image that is private and public, and one that a model
 *   would be both trained and tested on.
 */
export async function studyOfTrees(
  name: string,
  trees: StudyTrees,
  options: StudyTreesOptions,
  seed: number,
  context: DataContext,
): Promise<StudyData> {
  const elsewhere = { ...options, crop: options.publicCrop ?? options.crop };
  const decode = async (tree: ImageTree, what: Role, how: DecodeOptions = options): Promise<DecodedLot> => {
    const { set, fingerprints } = await decodeTree(tree, `${name} ${what}`, how, context);
    return { what, tree, set, fingerprints };
  };

  const owned = await decode(trees.private, "private");
  const listed = trees.test && (await decode(trees.test, "private test"));
  const { split, apart, heldBack } = divide(owned, listed, options.split, seed);
  const shown = await decode(trees.public, "public", elsewhere);
  checkApart(apart, shown);
  let labelled = shown;
  if (trees.pretraining !== trees.public) {
    labelled = await decode(trees.pretraining, "pre-training", elsewhere);
    checkApart(apart, labelled);
  }
  const judging = trees.evaluation && (await decode(trees.evaluation, "evaluation"));
  if (judging !== undefined) {
    for (const lot of heldBack) checkNoSharedImage(lot, judging, HELD_BACK);
    for (const lot of new Set([shown, labelled])) checkApart([judging], lot);
  }
  return {
    private: split,
    public: shown.set,
    pretraining: splitByClass({ ...labelled.set, name: `${name} pre-training` }, { test: options.split.test }, seed, 1),
    evaluation: judging?.set ?? split.train,
  };
}

interface DecodedLot extends ImageLot {
  readonly set: RawFileSet;
}

/** The private images in their parts. */
interface Divided {
  readonly split: PrivateSplit;
  /** All of them, which nobody else may have. */
  readonly apart: readonly ImageLot[];
  /** Those that no model may be trained on. */
  readonly heldBack: readonly ImageLot[];
}

/** @param listed test images of their own; without them some are drawn */
function divide(
  owned: DecodedLot,
  listed: DecodedLot | undefined,
  shares: StudyTreesOptions["split"],
  seed: number,
): Divided {
  const part = (what: string, indices: Int32Array): ImageLot => ({ ...owned, what, indices });
  if (listed === undefined) {
    const split = splitPrivate(owned.set, shares, seed);
    const { validation, test } = split;
    const heldBack = [part("private test", test.indices), part("private validation", validation.indices)];
    return { split, apart: [owned], heldBack };
  }
  checkNoSharedImage({ ...owned, what: "private training" }, listed, UNSEEN);
  const split = splitByClass(owned.set, { validation: shares.validation }, seed, 2);
  const heldBack = [listed, part("private validation", split.validation.indices)];
  return { split: { ...split, test: listed.set }, apart: [owned, listed], heldBack };
}

function checkApart(lots: readonly ImageLot[], others: ImageLot): void {
  for (const lot of lots) checkNoSharedImage(lot, others, OUTSIDE);
}
