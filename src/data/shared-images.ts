import { relative } from "node:path";
import { UserError } from "../engine/errors.ts";
import { type ImageTree, nameOf } from "./image-tree.ts";

/** Decoded images of a study that are for one thing. */
export interface ImageLot {
  /** What they are for, as messages say it: `private test`. */
  readonly what: string;
  readonly tree: ImageTree;
  /** For each image of the tree a short hash of its pixels: equal images have equal ones. */
  readonly fingerprints: readonly string[];
  /** Which of the tree's images they are; all by default. */
  readonly indices?: Int32Array;
}

/**
 * Checks that no image of one lot is also in another, under whatever name.
 * @param rule why it must not be, as the message's last words
 * @throws UserError that names both lots, how many images they share, and the first of them
 */
export function checkNoSharedImage(one: ImageLot, other: ImageLot, rule: string): void {
  const known = new Map(places(one).map((at) => [one.fingerprints[at]!, at]));
  const shared = places(other).filter((at) => known.has(other.fingerprints[at]!));
  const [first] = shared;
  if (first === undefined) return;
  const name = relative(other.tree.root, nameOf(other.tree, other.tree.files[first]!));
  const same = nameOf(one.tree, one.tree.files[known.get(other.fingerprints[first]!)!]!);
  throw new UserError(
    `${other.tree.root}: the ${other.what} set holds ${shared.length} of the ${one.what} images ` +
      `(first: ${name} shows the same as ${same}); ${rule}`,
  );
}

function places({ indices, fingerprints }: ImageLot): readonly number[] {
  return indices === undefined ? [...fingerprints.keys()] : [...indices];
}
