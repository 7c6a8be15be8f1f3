import { Resvg } from "@resvg/resvg-js";
import { svgs } from "facesjs";

/** A kind of facial part in facesjs, such as `nose`. */
export type PartKind = keyof typeof svgs;

export type Gender = "female" | "male";

/** The vector parts of facesjs on their canvas of 400 × 600 units, with the box of each one computed once. */
export interface Parts {
  /** The SVG of a part with its colour placeholders `$[name]` still in it. */
  svg(kind: PartKind, id: string): string;
  /** The middle and the left edge of a part's geometry, strokes left out. */
  box(kind: PartKind, id: string): { readonly left: number; readonly x: number; readonly y: number };
}

const table: Readonly<Record<PartKind, Readonly<Record<string, string>>>> = svgs;

/** Every id of a kind, in the package's order. */
export function partIds(kind: PartKind): readonly string[] {
  return Object.keys(table[kind]);
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

/** Reads the parts; boxes are remembered inside the returned value. */
export function readParts(): Parts {
  const boxes = new Map<string, { left: number; x: number; y: number }>();
  const svg = (kind: PartKind, id: string) => {
    const found = table[kind][id];
    if (found === undefined) throw new Error(`no facial part ${kind}/${id}`);
    return found;
  };
  return {
    svg,
    box(kind, id) {
      const key = `${kind}/${id}`;
      const known = boxes.get(key);
      if (known) return known;
      const body = svg(kind, id).replace(/\$\[\w+\]/g, "#888");
      const found = new Resvg(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 600">${body}</svg>`, {
        font: { loadSystemFonts: false },
      }).getBBox();
      const box = found
        ? { left: found.x, x: found.x + found.width / 2, y: found.y + found.height / 2 }
        : { left: 0, x: 0, y: 0 };
      boxes.set(key, box);
      return box;
    },
  };
}
