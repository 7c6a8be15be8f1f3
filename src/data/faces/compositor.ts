import type { Identity } from "./identity.ts";
import type { Parts } from "./part-boxes.ts";
import type { PartKind } from "./parts.ts";
import type { Background, Placement, View } from "./view.ts";

/** Units by which the inner face moves at yaw or pitch 1; the nose stands out by half as much again. */
const yawUnits = 9;
const pitchUnits = 7;
const noseDepth = 1.5;
/** The part of the inner face's motion that flat hair at the front makes, and the back hair against it. */
const frontHair = 0.3;
const backHair = -0.5;

const hats: readonly string[] = ["hat", "hat2", "hat3", "santa-hat"];

interface Put {
  /** Where the part's middle goes; without it the part stays where it was drawn, stretched about the face's middle line. */
  readonly at?: readonly [number, number];
  readonly angle?: number;
  readonly scaleX?: number;
  readonly scaleY?: number;
  readonly shift?: readonly [number, number];
}

/** The frame that shows the head: 400 × 400 units of the canvas. */
export const viewBox = "0 90 400 400";

/** A background that fills the frame, for the start of an SVG. */
export function backgroundSvg({ from, to, angle }: Background): string {
  return (
    `<defs><linearGradient id="backdrop" gradientTransform="rotate(${angle} .5 .5)"><stop offset="0" stop-color="${from}"/>` +
    `<stop offset="1" stop-color="${to}"/></linearGradient></defs>` +
    `<rect x="-1000" y="-1000" width="3000" height="3000" fill="url(#backdrop)"/>`
  );
}

/** The transform that places a drawing whose middle is (x, y), with extra stretch. */
export function placementTransform(placement: Placement, x: number, y: number, stretchX = 1, stretchY = 1): string {
  const { roll, scale, shiftX, shiftY, mirror } = placement;
  const sx = (mirror ? -1 : 1) * scale * stretchX;
  return (
    `translate(${number(x + shiftX)} ${number(y + shiftY)}) rotate(${number(roll)}) ` +
    `scale(${number(sx)} ${number(scale * stretchY)}) translate(${-x} ${-y})`
  );
}

/** The SVG of one picture of a person. Layers, positions and the effect of fatness are those of facesjs. */
export function faceSvg(identity: Identity, view: View, parts: Parts): string {
  const { family, geometry: g } = identity;
  const colors: Readonly<Record<string, string>> = {
    skinColor: family.skin,
    hairColor: family.hairColor,
    headShave: `rgba(0,0,0,${number(family.headShave)})`,
    faceShave: "rgba(0,0,0,0.1)",
    primary: view.clothes[0],
    secondary: view.clothes[1],
    accent: view.clothes[2],
  };
  const layers: string[] = [];
  const draw = (kind: PartKind, id: string, put: Put = {}) => {
    if (id === "none") return;
    const body = parts.svg(kind, id).replace(/\$\[(\w+)\]/g, (whole, name: string) => colors[name] ?? whole);
    layers.push(`<g transform="${transformOf(kind, id, put, parts)}">${body}</g>`);
  };

  const innerX = yawUnits * view.yaw;
  const innerY = -pitchUnits * view.pitch;
  const shift = [innerX, innerY] as const;
  const width = 0.8 + 0.2 * family.fatness;
  const earX = 55 + 31 * (1 - family.fatness);
  // The eye that turns towards the camera looks wider, the other narrower.
  const near = 1 + 0.06 * view.yaw;
  const far = 1 - 0.06 * view.yaw;

  draw("hairBg", family.hairBg, {
    scaleX: width,
    shift: [backHair * innerX, backHair * innerY],
  });
  draw("body", family.body);
  draw("jersey", view.jersey);
  pair(g.earScale, g.earScale, 0, 200 - earX, 325, (put) =>
    draw("ear", identity.parts.ear, { ...put, shift: [-0.4 * innerX, 0] }),
  );
  draw("head", family.head, { scaleX: width });
  draw("eyeLine", identity.parts.eyeLine, { shift });
  pair(g.smileLineScale, g.smileLineScale, 0, 50, g.mouthY - 5, (put) =>
    draw("smileLine", identity.parts.smileLine, { ...put, shift }),
  );
  draw("miscLine", identity.parts.miscLine, { shift });
  draw("facialHair", family.facialHair, { scaleX: width, shift: [0.5 * innerX, 0.5 * innerY] });
  const eyeHeight = g.eyeScale * view.lid;
  pair(g.eyeScale, eyeHeight, g.eyeAngle + view.eyeAngle, g.halfEyeDistance, g.eyeY, (put, side) =>
    draw("eye", identity.parts.eye, { ...put, scaleX: put.scaleX * (side < 0 ? near : far), shift }),
  );
  const browY = g.eyeY - g.browGap - view.browLift;
  pair(g.browScale, g.browScale, g.browAngle + view.browAngle, g.halfEyeDistance, browY, (put, side) =>
    draw("eyebrow", identity.parts.eyebrow, { ...put, scaleX: put.scaleX * (side < 0 ? near : far), shift }),
  );
  draw("mouth", view.mouth, {
    at: [200, g.mouthY],
    scaleX: g.mouthScale * (view.mouthFlip ? -1 : 1),
    scaleY: g.mouthScale,
    shift,
  });
  draw("nose", identity.parts.nose, {
    at: [200, g.noseY],
    scaleX: g.noseScale * (identity.noseFlip ? -1 : 1),
    scaleY: g.noseScale,
    shift: [noseDepth * innerX, noseDepth * innerY],
  });
  draw("hair", hairUnder(view.accessory, identity), {
    scaleX: width * (family.hairFlip ? -1 : 1),
    shift: [frontHair * innerX, frontHair * innerY],
  });
  const worn = identity.parts.glasses === "none" ? view.glasses : identity.parts.glasses;
  draw("glasses", worn, { scaleX: width, shift });
  draw("accessories", view.accessory, { scaleX: width, shift: [frontHair * innerX, 0] });

  const placed = placementTransform(view.placement, 200, 300, g.stretchX, g.stretchY);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox}">${backgroundSvg(view.background)}` +
    `<g transform="${placed}">${layers.join("")}</g></svg>`
  );
}

/** High hair would stand through a hat: men get a short cut under it, women keep what hangs behind. */
function hairUnder(accessory: string, { family }: Identity): string {
  if (!hats.includes(accessory)) return family.hair;
  return family.gender === "male" ? "short" : "none";
}

function pair(
  scaleX: number,
  scaleY: number,
  angle: number,
  half: number,
  y: number,
  draw: (put: { at: readonly [number, number]; angle: number; scaleX: number; scaleY: number }, side: -1 | 1) => void,
): void {
  draw({ at: [200 - half, y], angle, scaleX, scaleY }, -1);
  draw({ at: [200 + half, y], angle: -angle, scaleX: -scaleX, scaleY }, 1);
}

function transformOf(kind: PartKind, id: string, put: Put, parts: Parts): string {
  const { at, angle = 0, scaleX = 1, scaleY = 1, shift = [0, 0] } = put;
  if (!at) {
    return `translate(${number(200 + shift[0])} ${number(shift[1])}) scale(${number(scaleX)} 1) translate(-200 0)`;
  }
  const box = parts.box(kind, id);
  // These two noses are profiles: they start at the middle of the face and point aside.
  const anchor = kind === "nose" && (id === "nose4" || id === "pinocchio") ? box.left : box.x;
  return (
    `translate(${number(at[0] + shift[0])} ${number(at[1] + shift[1])}) rotate(${number(angle)}) ` +
    `scale(${number(scaleX)} ${number(scaleY)}) translate(${number(-anchor)} ${number(-box.y)})`
  );
}

function number(x: number): string {
  return String(Math.round(x * 1000) / 1000);
}
