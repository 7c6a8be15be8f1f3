import { constantTensor, type Value } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import { asFloat, tensor } from "../tensor.ts";
import type { BlockedLowering } from "./layout.ts";

/** Places of a kernel that a convolution uses, as rows and columns, in the order in which it uses them. */
export interface Taps {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** The taps of a kernel so wide, each by its place in the plane. */
const placesOf = ({ rows, columns }: Taps, width: number) =>
  rows.flatMap((row) => columns.map((column) => row * width + column));

/** All places of a kernel, or all in the opposite order. */
export function allTaps([height, width]: readonly [number, number], turned: boolean): Taps {
  const range = (n: number) => Array.from({ length: n }, (_, i) => (turned ? n - 1 - i : i));
  return { rows: range(height), columns: range(width) };
}

/**
 * A kernel [K, C, kh, kw] as the blocked convolution reads it: [K/b, C/b, taps, b of C, b of K]; with fewer channels than a block
 * [K/b, C, taps, b of K].
 */
export function forwardWeight(l: BlockedLowering, w: Value): string {
  const [k, c, kh, kw] = w.shape as [number, number, number, number];
  const { block } = l;
  const inner = Math.min(c, block);
  return l.once(w, "forward", () => {
    const fixed = constantTensor(w);
    if (fixed !== undefined) {
      const split = [k / block, block, c / inner, inner, kh * kw];
      const perm = c < block ? [0, 2, 3, 4, 1] : [0, 2, 4, 3, 1];
      return l.constant(tensor(permuted(asFloat(fixed).data, split, perm), w.shape), `${w.leaf?.name}.forward`);
    }
    // The change of layout that the runtime has for images moves output channels to the end, on all threads.
    const image = l.node("Reshape", [l.plain(w), l.int64s([1, k, c, kh * kw])]);
    const ordered = l.blockedNode("ReorderInput", [image]);
    if (c < block) return l.node("Reshape", [ordered, l.int64s(w.shape)]);
    const parts = l.node("Reshape", [ordered, l.int64s([k / block, c / block, block, kh * kw, block])]);
    return l.node("Reshape", [l.node("Transpose", [parts], { perm: [0, 1, 3, 2, 4] }), l.int64s(w.shape)]);
  });
}

/** The kernel of the gradient at the input: channels exchanged, and of each plane the given places. */
export function backwardWeight(l: BlockedLowering, w: Value, taps: Taps): string {
  const [k, c, kh, kw] = w.shape as [number, number, number, number];
  const { block } = l;
  const shape = [c, k, taps.rows.length, taps.columns.length];
  const places = placesOf(taps, kw);
  return l.once(w, `backward ${places.join()}`, () => {
    const fixed = constantTensor(w);
    if (fixed !== undefined) {
      const split = [k / block, block, c / block, block, kh * kw];
      const data = permuted(asFloat(fixed).data, split, [2, 0, 4, 1, 3], places);
      return l.constant(tensor(data, shape), `${w.leaf?.name}.backward`);
    }
    const turned = l.once(w, "backward", () => {
      const image = l.node("Reshape", [l.plain(w), l.int64s([k, c, 1, kh * kw])]);
      const ordered = l.blockedNode("ReorderInput", [image]);
      const parts = l.node("Reshape", [ordered, l.int64s([k / block, block, c / block, kh * kw, block])]);
      return l.node("Transpose", [parts], { perm: [2, 0, 3, 1, 4] });
    });
    return l.node("Reshape", [l.node("Gather", [turned, l.int64s(places)], { axis: 2 }), l.int64s(shape)]);
  });
}

/** The kernel [K, 1, kh, kw] of a depthwise convolution, of each plane the given places: [K/b, places, b of K]. */
export function depthwiseWeight(l: BlockedLowering, w: Value, taps: Taps): string {
  const [k, , kh, kw] = w.shape as [number, number, number, number];
  const { block } = l;
  const shape = [k, 1, taps.rows.length, taps.columns.length];
  const places = placesOf(taps, kw);
  return l.once(w, `depthwise ${places.join()}`, () => {
    const fixed = constantTensor(w);
    if (fixed !== undefined) {
      const data = permuted(asFloat(fixed).data, [k / block, block, 1, 1, kh * kw], [0, 2, 4, 3, 1], places);
      return l.constant(tensor(data, shape), `${w.leaf?.name}.depthwise`);
    }
    const planes = l.node("Reshape", [forwardWeight(l, w), l.int64s([k / block, kh * kw, block])]);
    return l.node("Reshape", [l.node("Gather", [planes, l.int64s(places)], { axis: 1 }), l.int64s(shape)]);
  });
}

/** The elements of a tensor of five axes in the order of other axes; `places` picks along the third of the new ones. */
function permuted(
  data: Float32Array,
  shape: readonly number[],
  perm: readonly number[],
  places?: readonly number[],
): Float32Array {
  const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
  const [a, b, c, d, e] = perm.map((axis) => ({ size: shape[axis]!, stride: strides[axis]! })) as [
    Axis,
    Axis,
    Axis,
    Axis,
    Axis,
  ];
  const third = places ?? Array.from({ length: c.size }, (_, i) => i);
  const out = new Float32Array(a.size * b.size * third.length * d.size * e.size);
  let at = 0;
  for (let i = 0; i < a.size; i++)
    for (let j = 0; j < b.size; j++)
      for (const place of third)
        for (let m = 0; m < d.size; m++) {
          const from = i * a.stride + j * b.stride + place * c.stride + m * d.stride;
          for (let n = 0; n < e.size; n++) out[at++] = data[from + n * e.stride]!;
        }
  return out;
}

interface Axis {
  readonly size: number;
  readonly stride: number;
}
