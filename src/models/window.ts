import type { Value } from "../engine/graph.ts";
import { constant } from "../engine/graph.ts";
import { gather, reshape, transpose } from "../engine/ops/movement.ts";
import { indexTensor } from "../engine/tensor.ts";

/** [N, H, W, C] → [N, windows, side², C]; sides are multiples of `side`. */
export function partition(x: Value, side: number): Value {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const cells = reshape(x, [n, h / side, side, w / side, side, c]);
  return reshape(transpose(cells, [0, 1, 3, 2, 4, 5]), [n, (h / side) * (w / side), side * side, c]);
}

/** The reverse of `partition`. */
export function departition(x: Value, side: number, h: number, w: number): Value {
  const [n, , , c] = x.shape as [number, number, number, number];
  const cells = reshape(x, [n, h / side, w / side, side, side, c]);
  return reshape(transpose(cells, [0, 1, 3, 2, 4, 5]), [n, h, w, c]);
}

/** [N, G, T, 3·width] → [N, G, heads, T, width/heads] of one of the three parts, which stand one after the other. */
export function headsOf(x: Value, heads: number): Value {
  const [n, groups, tokens, width] = x.shape as [number, number, number, number];
  return transpose(reshape(x, [n, groups, tokens, heads, width / heads]), [0, 1, 3, 2, 4]);
}

/** [N, G, heads, T, d] → [N, G, T, heads·d] */
export function joinHeads(x: Value): Value {
  const [n, groups, heads, tokens, size] = x.shape as [number, number, number, number, number];
  return reshape(transpose(x, [0, 1, 3, 2, 4]), [n, groups, tokens, heads * size]);
}

/** A head's bias for each pair of places in a window, [heads, side², side²], from its table of offsets [(2·side − 1)², heads]. */
export function positionBias(table: Value, side: number): Value {
  const places = side * side;
  const span = 2 * side - 1;
  const index = new Int32Array(places * places);
  for (let i = 0; i < places; i++) {
    for (let j = 0; j < places; j++) {
      const rows = Math.floor(i / side) - Math.floor(j / side) + side - 1;
      index[i * places + j] = rows * span + (i % side) - (j % side) + side - 1;
    }
  }
  return transpose(gather(table, constant(indexTensor(index, [places, places]))), [2, 0, 1]);
}
