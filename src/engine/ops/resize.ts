import { constant, type Value } from "../graph.ts";
import { tensor } from "../tensor.ts";
import { matmul } from "./linear.ts";
import { transpose } from "./movement.ts";
import { upsampleNearest } from "./pool.ts";

/** Which pixels a resized pixel is made of. */
export type Interpolation = "nearest" | "bilinear" | "antialiased";

/**
 * Resizes the last two axes as PyTorch's `interpolate` does (bilinear with `align_corners=False`); x [N, C, H, W]. Where a map
 * shrinks, `bilinear` looks at two neighbours alone and `antialiased` at all pixels that fall together, as `antialias=True` does.
 * Resizing is linear along each axis, so it is two products with fixed matrices, and differentiates as such.
 */
export function resize(x: Value, height: number, width: number, mode: Interpolation): Value {
  const [h, w] = x.shape.slice(2) as [number, number];
  if (h === height && w === width) return x;
  if (mode === "nearest" && height % h === 0 && height / h === width / w) return upsampleNearest(x, height / h);
  const rows = h === height ? x : matmul(weights(height, h, mode), x);
  return w === width ? rows : matmul(rows, transpose(weights(width, w, mode)));
}

/** A [to, from] matrix; row i holds the weights of the source pixels of pixel i */
function weights(to: number, from: number, mode: Interpolation): Value {
  const matrix = new Float32Array(to * from);
  const scale = from / to;
  const put = (i: number, j: number, weight: number) => {
    matrix[i * from + Math.min(j, from - 1)]! += weight;
  };
  for (let i = 0; i < to; i++) {
    if (mode === "nearest") put(i, Math.floor((i * from) / to), 1);
    else if (mode === "antialiased" && scale > 1) {
      const centre = (i + 0.5) * scale;
      const first = Math.max(0, Math.floor(centre - scale + 0.5));
      const last = Math.min(from, Math.floor(centre + scale + 0.5));
      const share = Array.from({ length: last - first }, (_, j) => 1 - Math.abs(first + j + 0.5 - centre) / scale);
      const total = share.reduce((sum, weight) => sum + Math.max(0, weight), 0);
      for (const [j, weight] of share.entries()) put(i, first + j, Math.max(0, weight) / total);
    } else {
      const centre = Math.max((i + 0.5) * scale - 0.5, 0);
      const low = Math.floor(centre);
      put(i, low, 1 - (centre - low));
      put(i, low + 1, centre - low);
    }
  }
  return constant(tensor(matrix, [to, from]), `${mode}.weights`);
}
