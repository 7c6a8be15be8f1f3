import { dirname } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { inClassOrder, sortedNames } from "./class-order.ts";
import { defineData } from "./data.ts";
import { setKeys } from "./identities.ts";
import type { ImageTree, ListedImage } from "./image-tree.ts";
import { type StudyTrees, studyOfTrees } from "./study-of-trees.ts";
import { linesOf } from "./text-list.ts";

const SETS = ["private", "public", "pretraining", "evaluation"] as const;
type SetName = (typeof SETS)[number];
const HEADER = ["path", "label", "set"] as const;

/** Images that a table lists: where each is, whom it shows, which set it belongs to. */
export const csv = defineData({
  kind: "csv",
  summary: "your own images, listed in a CSV file: path, label, and set (private, public, pretraining, evaluation)",
  config: z
    .strictObject({
      file: z
        .string()
        .min(1)
        .describe("CSV file with the columns path, label and set; paths start at the file's folder"),
      classes: z
        .array(z.string().min(1))
        .min(2)
        .optional()
        .describe("the private labels in the order of the classes; by default sorted, whole numbers by value"),
      ...setKeys,
      crop: z
        .union([z.int().min(8), z.enum(["center", "none"])])
        .default("center")
        .describe("center: largest square in the middle; none: stretched to a square; or a square's side, in pixels"),
    })
    .omit({ public: true }),
  async load(config, context) {
    return studyOfTrees(
      "csv",
      await treesOf(config.file, config.classes),
      config,
      config.seed ?? context.seed,
      context,
    );
  },
});

async function treesOf(file: string, order: readonly string[] | undefined): Promise<StudyTrees> {
  const [first, ...rows] = await linesOf(file);
  const header = first === undefined ? [] : fieldsOf(first.text, `${file}:1`);
  const at = HEADER.map((name) => header.indexOf(name));
  const absent = HEADER.find((_, i) => at[i]! < 0);
  if (absent !== undefined) {
    throw new UserError(
      `${file}:1: has no column "${absent}"; expected a first line ${HEADER.join(",")}, got "${header.join(",")}"`,
    );
  }
  const sets = new Map<SetName, { path: string; label: string }[]>();
  for (const { text, number } of rows) {
    const fields = fieldsOf(text, `${file}:${number}`);
    const [path, label, set] = at.map((i) => fields[i] ?? "") as [string, string, string];
    const name = SETS.find((known) => known === set);
    if (path === "" || label === "") throw new UserError(`${file}:${number}: has no ${path === "" ? "path" : "label"}`);
    if (name === undefined)
      throw new UserError(`${file}:${number}: set is "${set}"; expected one of ${SETS.join(", ")}`);
    const listed = sets.get(name) ?? [];
    listed.push({ path, label });
    sets.set(name, listed);
  }
  const tree = (name: SetName): ImageTree | undefined => {
    const listed = sets.get(name);
    if (listed === undefined) return undefined;
    const classes = sortedNames(new Set(listed.map(({ label }) => label)));
    const place = new Map(classes.map((label, i) => [label, i]));
    const files = listed.map(({ path, label }): ListedImage => ({ path, label: place.get(label)! }));
    return { root: dirname(file), classes, files };
  };
  const need = (name: SetName) => {
    const found = tree(name);
    if (found === undefined) throw new UserError(`${file}: lists no image of the set "${name}"`);
    return found;
  };
  const owned = need("private");
  const others = need("public");
  if (owned.classes.length < 2)
    throw new UserError(`${file}: the private images have one label; a classifier needs two`);
  const evaluation = tree("evaluation");
  if (evaluation !== undefined && evaluation.classes.join("\n") !== owned.classes.join("\n")) {
    throw new UserError(`${file}: the evaluation images must have the private images' labels`);
  }
  const ordered = (labelled: ImageTree) => inClassOrder(labelled, order, { place: file, name: "private label" });
  return {
    private: ordered(owned),
    public: others,
    pretraining: tree("pretraining") ?? others,
    ...(evaluation && { evaluation: ordered(evaluation) }),
  };
}

/** The fields of a line (RFC 4180, without line breaks in quotes). @throws UserError for an open quote. */
function fieldsOf(line: string, where: string): string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (let end = ","; end === ","; ) {
    const found = pattern.exec(line);
    if (found === null) throw new UserError(`${where}: a quote is not closed, or stands inside a field`);
    fields.push((found[1]?.replaceAll('""', '"') ?? found[2]!).trim());
    end = found[3]!;
  }
  return fields;
}
