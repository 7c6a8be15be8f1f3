import { UserError } from "../engine/errors.ts";
import type { ImageTree } from "./image-tree.ts";

const WHOLE = /^-?\d+$/;

/** Names in the order of their code units; where all are whole numbers, by value: 2 before 10. */
export function sortedNames(names: Iterable<string>): string[] {
  const sorted = [...names].sort();
  return sorted.every((name) => WHOLE.test(name)) ? sorted.sort((a, b) => Number(a) - Number(b)) : sorted;
}

/**
 * The tree with its classes in the order of these names, as a classifier from elsewhere numbers them; as it is where none are given.
 * @param of where the names stand, and what bears one there, as messages say it; the tree's folders by default
 * @throws UserError where the names are not those of its classes, each once
 */
export function inClassOrder(
  tree: ImageTree,
  classes: readonly string[] | undefined,
  of: { readonly place: string; readonly name: string } = { place: tree.root, name: "folder" },
): ImageTree {
  if (classes === undefined) return tree;
  const places = new Map(classes.map((name, label) => [name, label]));
  const missing = tree.classes.find((name) => !places.has(name));
  const unknown = classes.find((name) => !tree.classes.includes(name));
  if (missing !== undefined || unknown !== undefined || places.size !== classes.length) {
    const what =
      unknown !== undefined
        ? `there is no ${of.name} '${unknown}'`
        : missing !== undefined
          ? `${of.name} '${missing}' is not named`
          : "a name stands twice";
    throw new UserError(`data.classes must name each ${of.name} of ${of.place} once: ${what}`);
  }
  const files = tree.files.map((file) => ({ ...file, label: places.get(tree.classes[file.label]!)! }));
  return { ...tree, classes: [...classes], files: files.sort((a, b) => a.label - b.label) };
}
