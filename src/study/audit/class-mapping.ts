import { sortedNames } from "../../data/class-order.ts";
import { UserError } from "../../engine/errors.ts";

/** How folders of images stand for a classifier's classes. */
export interface ClassMapping {
  /** `names`: by the classifier's own names; `order`: it has none, the folders stand in the order of their names. */
  readonly by: "names" | "order";
  /** The folder of each class. */
  readonly folders: readonly string[];
  /** What was done, in a sentence. */
  readonly statement: string;
}

/** Names that a message shows. */
const SHOWN = 5;

/**
 * Finds the folder of each of a classifier's classes: by name where it names its classes (case, blanks, hyphens and underscores do not
 * count), else in the order of the folders' names. Numbers in a file are names only where a folder bears one; a user means what they say.
 * @param folders names of the private folders, sorted
 * @param known how many classes the classifier has, and their names, as far as it or the user says
 * @throws UserError where there are more or fewer folders than classes, or where a class has no folder of its name
 */
export function mapClasses(
  file: string,
  folders: readonly string[],
  known: { readonly classes?: number; readonly labels?: readonly string[]; readonly labelsGiven?: boolean },
): ClassMapping {
  const byName = new Map(folders.map((folder) => [plain(folder), folder]));
  const { labels: said, labelsGiven = false } = known;
  const isNumbered = said !== undefined && !labelsGiven && saysNothing(said);
  const labels = isNumbered && !said.some((label) => byName.has(plain(label))) ? undefined : said;
  const classes = known.classes ?? labels?.length ?? folders.length;
  const missing = labels === undefined ? [] : lacking(labels, folders);
  const alone = labels === undefined ? "" : without("class", lacking(folders, labels)) + without("folder", missing);
  if (classes !== folders.length)
    throw new UserError(
      `${file} knows ${classes} classes, the private images lie in ${folders.length} folders: there must be one folder for each class.${alone}`,
    );
  if (labels === undefined) {
    const nameless = isNumbered ? "numbers its classes and does not name them" : "does not name its classes";
    const statement = `The model ${nameless}. They were taken in the order of the folders' names: ${numbered(folders)}.${numbersAsText(folders)}`;
    return { by: "order", folders, statement };
  }
  if (labels.length !== classes)
    throw new UserError(`${file} knows ${classes} classes, but ${labels.length} names of classes are given`);
  if (missing.length > 0)
    throw new UserError(
      `${labelsGiven ? "--labels" : file} names the classes ${list(labels)}, and private folders are named otherwise.${alone} ` +
        "Rename the folders, or say their names in the order of the model's classes: --labels ada,bea,…",
    );
  const mapped = labels.map((label) => byName.get(plain(label))!);
  if (new Set(mapped).size !== folders.length)
    throw new UserError(
      `${file}: two of its classes have the same name as one folder; say --labels with each folder once`,
    );
  return {
    by: "names",
    folders: mapped,
    statement: `The ${classes} private folders were matched with the model's classes by name.`,
  };
}

/** The names that are none of the others. */
function lacking(names: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others.map(plain));
  return names.filter((name) => !known.has(plain(name)));
}

const without = (what: "class" | "folder", names: readonly string[]) =>
  names.length > 0 ? ` Without a ${what}: ${list(names)}.` : "";

const plain = (name: string) =>
  name
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, " ")
    .trim();

/** What is to be said where folders are named by numbers: sorted as text, as PyTorch's ImageFolder does too, 10 stands before 2. */
function numbersAsText(folders: readonly string[]): string {
  const counted = sortedNames(folders);
  if (counted.every((folder, i) => folder === folders[i])) return "";
  const first = counted.slice(0, SHOWN).join(",") + (counted.length > SHOWN ? ",…" : "");
  return ` These numbers were sorted as text; if the model counts them by value, say so: --labels ${first}`;
}

/** `0, 1, 2, …` and the like: numbers instead of names. */
const saysNothing = (labels: readonly string[]) => labels.every((label) => /^(class|label)?[\s_-]*\d+$/i.test(label));

const list = (names: readonly string[]) =>
  names
    .slice(0, SHOWN)
    .map((name) => `'${name}'`)
    .join(", ") + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "");

/** The first of these names with their classes: `0 = ada, 1 = bea`. */
export const numbered = (folders: readonly string[]): string =>
  folders
    .slice(0, SHOWN)
    .map((folder, label) => `${label} = ${folder}`)
    .join(", ") + (folders.length > SHOWN ? ", …" : "");
