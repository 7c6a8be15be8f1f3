import { relative } from "node:path";
import { UserError } from "../engine/errors.ts";
import type { DataContext } from "./data.ts";
import type { StudyData } from "./dataset.ts";
import type { DecodeOptions } from "./decode-image.ts";
import { type DecodedTree, decodeTree } from "./decoded-tree.ts";
import { type ImageTree, nameOf } from "./image-tree.ts";
import { splitByClass, splitPrivate } from "./split.ts";

/** What a tree is for, as messages and set names say it. */
export type Role = "private" | "public" | "pre-training" | "evaluation";

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

/**
 * Decodes a study's images and divides the private ones.
 * @throws UserError for an unreadable image, a class that is too small, and an image that is private and public.
 */
export async function studyOfTrees(
  name: string,
  trees: StudyTrees,
  options: StudyTreesOptions,
  seed: number,
  context: DataContext,
): Promise<StudyData> {
  const { split: shares } = options;
  const elsewhere = { ...options, crop: options.publicCrop ?? options.crop };
  const decode = (tree: ImageTree, role: Role, how: DecodeOptions = options) =>
    decodeTree(tree, `${name} ${role}`, how, context);

  const owned = await decode(trees.private, "private");
  const split =
    trees.test === undefined
      ? splitPrivate(owned.set, shares, seed)
      : {
          ...splitByClass(owned.set, { validation: shares.validation }, seed, 2),
          test: { ...(await decode(trees.test, "private")).set, name: `${name} private test` },
        };
  const others = await decode(trees.public, "public", elsewhere);
  checkNoSharedImage(owned, trees.private, others, trees.public);
  let labelled = others;
  if (trees.pretraining !== trees.public) {
    labelled = await decode(trees.pretraining, "pre-training", elsewhere);
    checkNoSharedImage(owned, trees.private, labelled, trees.pretraining);
  }
  return {
    private: split,
    public: others.set,
    pretraining: splitByClass({ ...labelled.set, name: `${name} pre-training` }, { test: shares.test }, seed, 1),
    evaluation: trees.evaluation === undefined ? split.train : (await decode(trees.evaluation, "evaluation")).set,
  };
}

/** An attacker who holds a private image needs no attack; every number after that would be worth nothing. */
function checkNoSharedImage(owned: DecodedTree, ownedTree: ImageTree, other: DecodedTree, otherTree: ImageTree): void {
  const known = new Map(owned.fingerprints.map((fingerprint, index) => [fingerprint, index]));
  const shared = other.fingerprints.flatMap((fingerprint, index) => (known.has(fingerprint) ? [index] : []));
  if (shared.length === 0) return;
  const first = shared[0]!;
  const same = known.get(other.fingerprints[first]!)!;
  throw new UserError(
    `${otherTree.root} holds ${shared.length} of the private images (first: ${relative(otherTree.root, nameOf(otherTree, otherTree.files[first]!))} shows the same as ` +
      `${nameOf(ownedTree, ownedTree.files[same]!)}); private people must not occur outside of the private folder`,
  );
}
