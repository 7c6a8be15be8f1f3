import { createHash } from "node:crypto";
import { join } from "node:path";
import { decodeImage } from "./decode-image.ts";
import { otherImages } from "./identities.ts";
import { type ImageTree, listImageTree } from "./image-tree.ts";

/** What one folder holds, and what is wrong with it. Paths start at `root`. */
export interface FolderReport {
  readonly root: string;
  readonly images: number;
  readonly classes: number;
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  /** Classes with fewer readable images than are needed. */
  readonly small: readonly { readonly name: string; readonly images: number }[];
  /** Images that show, pixel by pixel, the same as an earlier one of the folder. */
  readonly repeated: readonly { readonly path: string; readonly as: string }[];
}

/** What a study would find in its folders. */
export interface DataReport {
  readonly private: FolderReport;
  readonly public?: FolderReport;
  /** Images that are private and public at once. */
  readonly shared: readonly { readonly private: string; readonly public: string }[];
}

/** Images are compared at this side, in pixels; files of other sizes or formats that show the same are found too where it is exact. */
const SIDE = 64;
/** Images decoded at the same time. */
const PARALLEL = 4;

/**
 * Looks at every image of a private folder and of the attacker's, and collects what a study would refuse.
 * @param minimum images that a private class must have
 * @throws UserError for a folder that does not exist or holds no images.
 */
export async function checkFolders(options: {
  readonly private: string;
  readonly public?: string;
  readonly minimum: number;
}): Promise<DataReport> {
  const owned = await look(await listImageTree(options.private, "private"), options.minimum);
  if (options.public === undefined) return { private: owned.report, shared: [] };
  const others = await look(await otherImages(options.public), 1);
  const shared = [...others.known].flatMap(([print, path]) => {
    const same = owned.known.get(print);
    return same === undefined ? [] : [{ private: same, public: path }];
  });
  return { private: owned.report, public: others.report, shared };
}

async function look(tree: ImageTree, minimum: number) {
  const known = new Map<string, string>();
  const unreadable: { path: string; reason: string }[] = [];
  const repeated: { path: string; as: string }[] = [];
  const readable = tree.classes.map(() => 0);
  for (let at = 0; at < tree.files.length; at += PARALLEL) {
    const group = tree.files.slice(at, at + PARALLEL);
    const decoded = await Promise.allSettled(
      group.map(({ path }) => decodeImage(join(tree.root, path), { size: SIDE, channels: 3, crop: "none" })),
    );
    for (const [i, outcome] of decoded.entries()) {
      const { path, label } = group[i]!;
      if (outcome.status === "rejected") {
        unreadable.push({ path, reason: (outcome.reason as Error).message });
        continue;
      }
      readable[label]!++;
      const print = createHash("sha256").update(outcome.value).digest("hex");
      const same = known.get(print);
      if (same === undefined) known.set(print, path);
      else repeated.push({ path, as: same });
    }
  }
  const small = tree.classes.flatMap((name, label) =>
    readable[label]! < minimum ? [{ name, images: readable[label]! }] : [],
  );
  const report = {
    root: tree.root,
    images: tree.files.length,
    classes: tree.classes.length,
    unreadable,
    small,
    repeated,
  };
  return { known, report };
}
