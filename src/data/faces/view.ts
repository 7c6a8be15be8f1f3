import type { Rng } from "../../engine/random.ts";
import { between, pick } from "./identity.ts";
import { partIds } from "./parts.ts";

/** What differs between two pictures of one person before the camera: expression, pose, things worn, background. */
export interface View {
  readonly mouth: string;
  readonly mouthFlip: boolean;
  /** Degrees added to the person's own angles. */
  readonly eyeAngle: number;
  readonly browAngle: number;
  /** Units by which the brows are raised. */
  readonly browLift: number;
  /** Height of the open eye as a part of the person's own. */
  readonly lid: number;
  /** Head turn to the side and up, −1 … 1 at variation 1. */
  readonly yaw: number;
  readonly pitch: number;
  readonly placement: Placement;
  readonly accessory: string;
  /** Glasses worn only today, `none` mostly. */
  readonly glasses: string;
  readonly jersey: string;
  readonly clothes: readonly [string, string, string];
  readonly background: Background;
}

/** How a drawing is put into the frame. */
export interface Placement {
  /** Degrees. */
  readonly roll: number;
  readonly scale: number;
  /** Units of the 400-unit frame. */
  readonly shiftX: number;
  readonly shiftY: number;
  readonly mirror: boolean;
}

/** A gradient of two colours. */
export interface Background {
  readonly from: string;
  readonly to: string;
  /** Degrees. */
  readonly angle: number;
}

/** A mouth at rest: what everybody shows at variation 0. */
const restingMouth = "straight";

/** A colour with hue, saturation and lightness drawn from the whole wheel. */
export function anyColor(rng: Rng): string {
  return `hsl(${rng.int(360)},${20 + rng.int(70)}%,${25 + rng.int(55)}%)`;
}

/** Draws a placement; roll ±9°, scale ±8 %, shift ±14 units, and a mirror image half the time, at variation 1. */
export function drawPlacement(rng: Rng, variation: number): Placement {
  const around = (by: number) => variation * between(rng, -by, by);
  return {
    roll: around(9),
    scale: 1 + around(0.08),
    shiftX: around(14),
    shiftY: around(14),
    mirror: rng.uniform() < 0.5 * Math.min(1, variation),
  };
}

/** Draws a background. */
export function drawBackground(rng: Rng): Background {
  return { from: anyColor(rng), to: anyColor(rng), angle: rng.int(360) };
}

/** Draws one view; `variation` scales the strength of everything but clothes and background (0: always the same face). */
export function drawView(rng: Rng, variation: number): View {
  const around = (by: number) => variation * between(rng, -by, by);
  const sometimes = (probability: number) => rng.uniform() < probability * variation;
  const accessories = partIds("accessories").filter((id) => id !== "none");
  const glasses = partIds("glasses").filter((id) => id !== "none" && id !== "facemask");
  const mouth = pick(rng, partIds("mouth"));
  return {
    mouth: sometimes(1) ? mouth : restingMouth,
    mouthFlip: sometimes(0.5),
    eyeAngle: around(3),
    browAngle: around(7),
    browLift: around(5),
    lid: Math.max(0.5, 1 - 0.06 * variation + around(0.14)),
    yaw: around(1),
    pitch: around(1),
    placement: drawPlacement(rng, variation),
    accessory: sometimes(0.12) ? pick(rng, accessories) : "none",
    glasses: sometimes(0.06) ? pick(rng, glasses) : "none",
    jersey: pick(rng, partIds("jersey")),
    clothes: [anyColor(rng), anyColor(rng), anyColor(rng)],
    background: drawBackground(rng),
  };
}
