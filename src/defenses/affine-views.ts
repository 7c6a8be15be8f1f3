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
      for (const [i, view] of views.entries())
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) {
            const place = TAPS * (i * pixels + y * width + x);
            for (const [k, tap] of taps(view, x, y, width, height).entries()) {
              at[place + k] = i * pixels + tap.at;
              weight[place + k] = tap.weight;
            }
          }
      return { [`${name}/indices`]: at, [`${name}/weights`]: weight };
    },
  };
}

/** The pixels behind pixel (x, y) of a view, and what each weighs: bilinear, with nothing outside. */
function taps({ scale, top, left, mirrored, angle }: AffineView, x: number, y: number, width: number, height: number) {
  const turn = (angle * Math.PI) / 180;
  const [dx, dy] = [x - (width - 1) / 2, y - (height - 1) / 2];
  const turned = Math.cos(turn) * dx - Math.sin(turn) * dy;
  const down = Math.sin(turn) * dx + Math.cos(turn) * dy;
  const across = mirrored ? -turned : turned;
  const outside = Math.abs(across) > width / 2 || Math.abs(down) > height / 2;
  const from = (offset: number, side: number, start: number) =>
    (offset + side / 2) * scale + start * (1 - scale) * side - 0.5;
  const [sx, sy] = [from(across, width, left), from(down, height, top)];
  const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
  return [0, 1].flatMap((j) =>
    [0, 1].map((i) => {
      const [column, row] = [x0 + i, y0 + j];
      const inside = column >= 0 && column < width && row >= 0 && row < height;
      const weight = (1 - Math.abs(sx - column)) * (1 - Math.abs(sy - row));
      return inside && !outside ? { at: row * width + column, weight } : { at: 0, weight: 0 };
    }),
  );
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
