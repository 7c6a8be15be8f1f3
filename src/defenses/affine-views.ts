import { input, type Value } from "../engine/graph.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { gather, reshape, transpose } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import type { Rng } from "../engine/random.ts";

/** One view of an image: a crop brought to the image's size, then mirrored, then turned. */
export interface AffineView {
  /** Side of the crop, in shares of the image's. */
  readonly scale: number;
  /** Where the crop lies: 0 at the top (left), 1 at the bottom (right). */
  readonly top: number;
  readonly left: number;
  readonly mirrored: boolean;
  /** Counter-clockwise, in degrees; what comes from outside the view is black. */
  readonly angle: number;
}

/** Views of a batch of images as a function of the graph: pixels are weighted sums of pixels, so gradients flow to the images. */
export interface AffineViews {
  /** [N, C, H, W], the same shape as the images. */
  readonly images: Value;
  /** What the graph is fed for one view of each image. */
  feeds(views: readonly AffineView[]): Readonly<Record<string, Float32Array | Int32Array>>;
}

/** Pixels that a pixel of a view lies between. */
const TAPS = 4;

/** @param name keeps the inputs of several in one graph apart */
export function affineViews(images: Value, name: string): AffineViews {
  const [n, channels, height, width] = images.shape as [number, number, number, number];
  const pixels = height * width;
  const indices = input(`${name}/indices`, [n * pixels * TAPS], "int32");
  const weights = input(`${name}/weights`, [n * pixels * TAPS, 1]);
  const rows = reshape(transpose(images, [0, 2, 3, 1]), [n * pixels, channels]);
  const taken = reshape(mul(gather(rows, indices), weights), [n * pixels, TAPS, channels]);
  return {
    images: transpose(reshape(sum(taken, [1]), [n, height, width, channels]), [0, 3, 1, 2]),
    feeds(views) {
      const at = new Int32Array(n * pixels * TAPS);
      const weight = new Float32Array(at.length);
      for (const [i, view] of views.entries()) place(view, i, width, height, at, weight);
      return { [`${name}/indices`]: at, [`${name}/weights`]: weight };
    },
  };
}

/** Writes, for every pixel of view i, the pixels behind it and what each weighs: bilinear, with nothing outside. */
function place(view: AffineView, i: number, width: number, height: number, at: Int32Array, weight: Float32Array): void {
  const { scale, top, left, mirrored, angle } = view;
  const turn = (angle * Math.PI) / 180;
  const [cos, sin, across] = [Math.cos(turn), Math.sin(turn), mirrored ? -1 : 1];
  const [startX, startY] = [left * (1 - scale) * width, top * (1 - scale) * height];
  let k = TAPS * i * width * height;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [x - (width - 1) / 2, y - (height - 1) / 2];
      // Where the pixel lies in the mirrored crop, from its centre.
      const [right, down] = [across * (cos * dx - sin * dy), sin * dx + cos * dy];
      const outside = Math.abs(right) > width / 2 || Math.abs(down) > height / 2;
      const sx = (right + width / 2) * scale + startX - 0.5;
      const sy = (down + height / 2) * scale + startY - 0.5;
      const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
      for (let tap = 0; tap < TAPS; tap++, k++) {
        const [column, row] = [x0 + (tap & 1), y0 + (tap >> 1)];
        if (outside || column < 0 || column >= width || row < 0 || row >= height) continue;
        at[k] = i * width * height + row * width + column;
        weight[k] = (1 - Math.abs(sx - column)) * (1 - Math.abs(sy - row));
      }
    }
}

/** How views are drawn: each of the three changes with probability ½, as in the code of Trap-MID. */
export function drawView(rng: Rng): AffineView {
  const [crops, flips, turns] = [rng.uniform() < 0.5, rng.uniform() < 0.5, rng.uniform() < 0.5];
  const [area, top, left, angle] = [rng.uniform(), rng.uniform(), rng.uniform(), rng.uniform()];
  return {
    scale: crops ? Math.sqrt(0.8 + 0.2 * area) : 1,
    top,
    left,
    mirrored: flips,
    angle: turns ? 60 * angle - 30 : 0,
  };
}
