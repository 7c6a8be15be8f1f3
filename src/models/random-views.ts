import { GREY } from "../data/augment.ts";
import { constant, input, type Value } from "../engine/graph.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { add, mul, sub } from "../engine/ops/elementwise.ts";
import { matmul } from "../engine/ops/linear.ts";
import { mean, sum } from "../engine/ops/reduce.ts";
import type { Rng } from "../engine/random.ts";
import { tensor } from "../engine/tensor.ts";

/** How views of an image are drawn: torchvision's RandomResizedCrop, RandomHorizontalFlip, and ColorJitter without colours. */
export interface ViewRange {
  /** The crop's least and greatest share of the image's area. */
  readonly scale: readonly [number, number];
  /** The crop's least and greatest ratio of width to height. */
  readonly ratio: readonly [number, number];
  /** Probability of a mirrored view. */
  readonly flip: number;
  /** Brightness and then contrast (around the image's mean grey) times a factor from 1 ± this; left alone where it is absent. */
  readonly jitter?: number;
}

/**
 * Random views of a batch of images [N, C, side, side] as a function of the graph. Cropping, resizing and mirroring are linear
 * in rows and in columns, so a view is a product with two matrices for each image, which are fed; gradients flow to the images.
 */
export interface RandomViews {
  /** [N, C, side, side], the same shape as the images. */
  readonly images: Value;
  /** What the graph is fed for one draw of views. */
  draw(rng: Rng): Readonly<Record<string, Float32Array>>;
}

/**
 * @param name tells the views of one graph apart; part of the names of what it is fed
 * @throws RangeError for images that are not square.
 */
export function randomViews(images: Value, range: ViewRange, name = "views"): RandomViews {
  const [n, , side, width] = images.shape as [number, number, number, number];
  if (side !== width) throw new RangeError(`random views are of square images, not of ${side}×${width}`);
  const rows = input(`${name}/rows`, [n, 1, side, side]);
  const columns = input(`${name}/columns`, [n, 1, side, side]);
  const { jitter } = range;
  const cropped = matmul(matmul(rows, images), columns);
  const [brightness, contrast] = [input(`${name}/brightness`, [n, 1, 1, 1]), input(`${name}/contrast`, [n, 1, 1, 1])];
  return {
    images: jitter === undefined ? cropped : jittered(cropped, brightness, contrast),
    draw(rng) {
      const [r, c] = [new Float32Array(n * side * side), new Float32Array(n * side * side)];
      for (let i = 0; i < n; i++) {
        const crop = drawCrop(rng, side, range);
        const at = i * side * side;
        sampleLines(crop.top, crop.height, side, (to, from, weight) => {
          r[at + to * side + from]! += weight;
        });
        sampleLines(crop.left, crop.width, side, (to, from, weight) => {
          const column = crop.mirrored ? side - 1 - to : to;
          c[at + from * side + column]! += weight;
        });
      }
      const fed = { [`${name}/rows`]: r, [`${name}/columns`]: c };
      if (jitter === undefined) return fed;
      const factors = () => rng.uniforms(n).map((u) => 1 + jitter * (2 * u - 1));
      return { ...fed, [`${name}/brightness`]: factors(), [`${name}/contrast`]: factors() };
    },
  };
}

/** Images of one or three channels, each times its brightness, then stretched around its mean grey; clamped to [0, 1] after both. */
function jittered(images: Value, brightness: Value, contrast: Value): Value {
  const channels = images.shape[1]!;
  const bright = clamp(mul(images, brightness), 0, 1);
  const shares = constant(tensor(channels === 1 ? [1] : GREY, [channels, 1, 1]), "grey");
  const grey = mean(sum(mul(bright, shares), [1], true), [2, 3], true);
  return clamp(add(grey, mul(sub(bright, grey), contrast)), 0, 1);
}

function drawCrop(rng: Rng, side: number, { scale, ratio, flip }: ViewRange) {
  const between = ([low, high]: readonly [number, number]) => low + (high - low) * rng.uniform();
  const area = between(scale);
  // The logarithm is uniform, so that wide and high crops are alike.
  const stretch = Math.exp(between([Math.log(ratio[0]), Math.log(ratio[1])]) / 2);
  const width = side * Math.min(1, Math.sqrt(area) * stretch);
  const height = side * Math.min(1, Math.sqrt(area) / stretch);
  return {
    width,
    height,
    top: (side - height) * rng.uniform(),
    left: (side - width) * rng.uniform(),
    mirrored: rng.uniform() < flip,
  };
}

/** Bilinear weights with which `side` lines sample the stretch of `length` lines from `start` (PyTorch: align_corners=False). */
function sampleLines(
  start: number,
  length: number,
  side: number,
  put: (to: number, from: number, weight: number) => void,
): void {
  for (let to = 0; to < side; to++) {
    const place = Math.min(side - 1, Math.max(0, start + ((to + 0.5) * length) / side - 0.5));
    const below = Math.min(side - 2, Math.floor(place));
    put(to, below, 1 - (place - below));
    put(to, below + 1, place - below);
  }
}
