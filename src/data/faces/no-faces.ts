import type { Rng } from "../../engine/random.ts";
import { backgroundSvg, placementTransform } from "./compositor.ts";
import { between } from "./identity.ts";
import { anyColor, drawBackground, drawPlacement } from "./view.ts";

interface Shape {
  readonly kind: "polygon" | "ellipse" | "curve" | "stripes";
  readonly points: readonly (readonly [number, number])[];
  readonly width: number;
  readonly role: number;
}

/**
 * An SVG of a thing that is no face: three to six outlined shapes whose forms and places are the class, while colours, pose
 * and small displacements are the view's. Closed shapes are filled, as in the cartoon's own drawing; nothing is symmetric.
 */
export function symbolSvg(thing: Rng, view: Rng, variation: number): string {
  const shapes = Array.from({ length: 3 + thing.int(4) }, () => drawShape(thing));
  const outline = between(thing, 5, 16);
  const colors = [anyColor(view), anyColor(view), anyColor(view)];
  const background = backgroundSvg(drawBackground(view));
  const body = shapes.map((shape) => shapeSvg(shape, colors[shape.role]!, outline, view, variation)).join("");
  const placement = drawPlacement(view, variation);
  const place = placementTransform({ ...placement, mirror: false }, 200, 200);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400">${background}` +
    `<g transform="${place}" stroke="#000" stroke-linejoin="round" stroke-linecap="round">${body}</g></svg>`
  );
}

function drawShape(thing: Rng): Shape {
  const kind = (["polygon", "ellipse", "curve", "stripes"] as const)[thing.int(4)]!;
  const x = between(thing, 90, 310);
  const y = between(thing, 90, 310);
  const reach = between(thing, 40, 120);
  const turn = between(thing, 0, 2 * Math.PI);
  const count = 3 + thing.int(4);
  const points = Array.from({ length: count }, (_, i) => {
    const angle = turn + (2 * Math.PI * i) / count;
    const radius = reach * between(thing, 0.4, 1.1);
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)] as const;
  });
  return { kind, points, width: reach * between(thing, 0.3, 1), role: thing.int(3) };
}

function shapeSvg(shape: Shape, color: string, outline: number, view: Rng, variation: number): string {
  const dx = variation * between(view, -8, 8);
  const dy = variation * between(view, -8, 8);
  const at = shape.points.map(([x, y]) => `${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`);
  const [first = "0 0", second = "0 0", third = "0 0"] = at;
  const [cx = "0", cy = "0"] = first.split(" ");
  const closed = `fill="${color}" stroke-width="${outline.toFixed(1)}"`;
  switch (shape.kind) {
    case "polygon":
      return `<path d="M${at.join("L")}Z" ${closed}/>`;
    case "ellipse":
      return `<ellipse cx="${cx}" cy="${cy}" rx="${shape.width.toFixed(1)}" ry="${(shape.width * 0.6).toFixed(1)}" ${closed}/>`;
    case "curve":
      return `<path d="M${first}Q${second} ${third}T${at.slice(3).join(" ") || first}" fill="none" stroke-width="${(outline * 1.5).toFixed(1)}"/>`;
    case "stripes":
      return at
        .map(
          (point, i) =>
            `<path d="M${point}L${at[(i + 2) % at.length]!}" fill="none" stroke-width="${outline.toFixed(1)}"/>`,
        )
        .join("");
  }
}
