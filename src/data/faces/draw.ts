import { Resvg } from "@resvg/resvg-js";
import { random } from "../../engine/random.ts";
import { faceSvg } from "./compositor.ts";
import { identityAt, type Population, type Range } from "./identity.ts";
import { symbolSvg } from "./no-faces.ts";
import { type Parts, readParts } from "./part-boxes.ts";
import { develop, drawPhoto } from "./photo.ts";
import { otherStyleSvg } from "./style.ts";
import { drawView } from "./view.ts";

/** What a class of a set is: a person, a person in another drawing style, or a thing that is no face. */
export type Subject = "faces" | "style" | "no-faces";

/** Everything an image depends on but its class and number. Images of two recipes with equal fields are equal. */
export interface Recipe extends Population {
  readonly subject: Subject;
  readonly range: Range;
  /** Names apart the images of one class that serve different ends, such as `train` and `test`. */
  readonly part: string;
  readonly variation: number;
  readonly size: number;
}

/** Draws images of recipes. */
export interface Artist {
  /** Writes image `k` of a class as `3 × size × size` bytes to `out` at `offset`. */
  draw(recipe: Recipe, label: number, k: number, out: Uint8Array, offset: number): void;
}

/** An artist, which remembers the vector parts' boxes. */
export function createArtist(): Artist {
  const parts = readParts();
  return {
    draw(recipe, label, k, out, offset) {
      const path = ["faces", recipe.range, recipe.subject, label, recipe.part, k] as const;
      const svg = svgOf(recipe, label, parts, path);
      const { pixels } = new Resvg(svg, {
        font: { loadSystemFonts: false },
        fitTo: { mode: "width", value: recipe.size },
      }).render();
      const camera = random(recipe.seed, ...path, "photo");
      develop(pixels, recipe.size, drawPhoto(camera, recipe.variation), camera, out, offset);
    },
  };
}

function svgOf(recipe: Recipe, label: number, parts: Parts, path: readonly (string | number)[]): string {
  const view = random(recipe.seed, ...path, "view");
  const thing = () => random(recipe.seed, "faces", recipe.range, recipe.subject, label);
  switch (recipe.subject) {
    case "faces":
      return faceSvg(identityAt(recipe, recipe.range, label), drawView(view, recipe.variation), parts);
    case "style":
      return otherStyleSvg(thing(), view, recipe.variation);
    case "no-faces":
      return symbolSvg(thing(), view, recipe.variation);
  }
}
