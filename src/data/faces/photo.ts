import type { Rng } from "../../engine/random.ts";
import { between } from "./identity.ts";

/** What the camera does to the drawing's pixels. */
export interface Photo {
  /** Relative brightening from the middle towards the light, at the frame's edge. */
  readonly light: number;
  /** Direction of the light in radians. */
  readonly lightAngle: number;
  readonly brightness: number;
  readonly gamma: number;
  /** Factor of each channel. */
  readonly cast: readonly [number, number, number];
  /** Standard deviation of the sensor noise, in steps of 255. */
  readonly noise: number;
}

/** Draws a photo: light up to 45 %, brightness 0.8 … 1.15, gamma 0.85 … 1.2, cast ±8 %, noise up to 6 steps, at variation 1. */
export function drawPhoto(rng: Rng, variation: number): Photo {
  return {
    light: variation * between(rng, 0, 0.45),
    lightAngle: between(rng, 0, 2 * Math.PI),
    brightness: 1 + variation * between(rng, -0.2, 0.15),
    gamma: Math.exp(variation * between(rng, -0.16, 0.18)),
    cast: [
      1 + variation * between(rng, -0.08, 0.08),
      1 + variation * between(rng, -0.08, 0.08),
      1 + variation * between(rng, -0.08, 0.08),
    ],
    noise: variation * between(rng, 0, 6),
  };
}

/** Turns RGBA pixels of a square into a photo as planes of red, green and blue bytes, written to `out` at `offset`. */
export function develop(rgba: Uint8Array, size: number, photo: Photo, rng: Rng, out: Uint8Array, offset: number): void {
  const area = size * size;
  const curves = photo.cast.map((cast) =>
    Float32Array.from({ length: 256 }, (_, v) => 255 * (v / 255) ** photo.gamma * photo.brightness * cast),
  );
  const dx = (photo.light * Math.cos(photo.lightAngle) * 2) / size;
  const dy = (photo.light * Math.sin(photo.lightAngle) * 2) / size;
  const middle = (size - 1) / 2;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * size + x;
      const lit = 1 + dx * (x - middle) + dy * (y - middle);
      for (let c = 0; c < 3; c++) {
        const value = curves[c]![rgba[at * 4 + c]!]! * lit + photo.noise * bellNumber(rng);
        out[offset + c * area + at] = value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
      }
    }
  }
}

/** Nearly normal with variance 1: the sum of the four bytes of one draw; noise is most of a picture's random numbers. */
function bellNumber(rng: Rng): number {
  const bits = rng.uniform() * 4294967296;
  const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
  return (sum - 510) / 147.8;
}
