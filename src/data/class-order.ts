import { UserError } from "../engine/errors.ts";
import type { ImageTree } from "./image-tree.ts";

/**
 * The tree with its classes in the order of these names, as a classifier from elsewhere numbers them; as it is where none are given.
 * @throws UserError where the names are not those of its folders, each once
 */
export function inClassOrder(tree: ImageTree, classes: readonly string[] | undefined): ImageTree {
  if (classes === undefined) return tree;
  const places = new Map(classes.map((name, label) => [name, label]));
  const missing = tree.classes.find((name) => !places.has(name));
  const unknown = classes.find((name) => !tree.classes.includes(name));
  if (missing !== undefined || unknown !== undefined || places.size !== classes.length) {
    const what =
      unknown !== undefined
        ? `there is no folder '${unknown}'`
        : missing !== undefined
          ? `folder '${missing}' is not named`
          : "a name stands twice";
    throw new UserError(`data.classes must name each folder of ${tree.root} once: ${what}`);
  }
  const files = tree.files.map((file) => ({ ...file, label: places.get(tree.classes[file.label]!)! }));
  return { ...tree, classes: [...classes], files: files.sort((a, b) => a.label - b.label) };
}
