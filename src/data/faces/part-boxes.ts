import { Resvg } from "@resvg/resvg-js";
import { type PartKind, partTable } from "./parts.ts";

/** The vector parts of facesjs on their canvas of 400 × 600 units, with the box of each one computed once. */
export interface Parts {
  /** The SVG of a part with its colour placeholders `$[name]` still in it. */
  svg(kind: PartKind, id: string): string;
  /** The middle and the left edge of a part's geometry, strokes left out. */
  box(kind: PartKind, id: string): { readonly left: number; readonly x: number; readonly y: number };
}

/** Reads the parts; boxes are remembered inside the returned value. */
export function readParts(): Parts {
  const boxes = new Map<string, { left: number; x: number; y: number }>();
  const svg = (kind: PartKind, id: string) => {
    const found = partTable[kind][id];
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
