import { svgs } from "facesjs";

/** A kind of facial part in facesjs, such as `nose`. */
export type PartKind = keyof typeof svgs;

export type Gender = "female" | "male";

/** The SVG of every part by kind and id, with its colour placeholders `$[name]` still in it. */
export const partTable: Readonly<Record<PartKind, Readonly<Record<string, string>>>> = svgs;

/** Every id of a kind, in the package's order. */
export function partIds(kind: PartKind): readonly string[] {
  return Object.keys(partTable[kind]);
}

// Which parts facesjs draws for women beside those called `female…`; its own table is not exported.
const alsoFemale: Partial<Record<PartKind, readonly string[]>> = {
  body: ["body", "body2", "body4"],
  ear: ["ear1", "ear2"],
  hair: ["afro2", "cornrows", "curly", "curly2", "curly3", "emo", "longHair", "shaggy1", "shaggy2", "short3"],
  head: ["head13", "head14", "head16", "head2", "head6"],
  miscLine: ["blush", "chin1", "chin2", "freckles1", "freckles2"],
};
const femaleHasAll: readonly PartKind[] = ["eyebrow", "nose", "mouth", "smileLine", "glasses", "accessories", "jersey"];

/** The ids of a kind that occur on faces of a gender, `none` and the face mask left out. */
export function partsFor(kind: PartKind, gender: Gender): readonly string[] {
  const ids = partIds(kind).filter((id) => id !== "none" && id !== "facemask");
  if (gender === "male") return ids.filter((id) => !id.startsWith("female") && id !== "blush");
  if (femaleHasAll.includes(kind)) return ids;
  return ids.filter((id) => id.startsWith("female") || alsoFemale[kind]?.includes(id));
}
