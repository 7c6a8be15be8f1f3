import { defineOp, type Op, type Value } from "../graph.ts";
import { tensor } from "../tensor.ts";

/** How a map is enlarged, filtered and thinned out; the same along height and width. */
export interface UpFirDnOptions {
  /** Zeros are put behind each pixel, so that there are this many times as many; 1 by default. */
  readonly up?: number;
  /** Of the filtered pixels every so-manieth is kept; 1 by default. */
  readonly down?: number;
  /** Zeros before and after the enlarged map; negative numbers cut pixels off. None by default. */
  readonly padding?: readonly [before: number, after: number];
  /** Factor of the result; 1 by default. */
  readonly gain?: number;
}

type Pads = readonly [before: number, after: number];

interface Filter {
  /** The kernel's taps along each axis, in the order in which they meet the pixels. */
  readonly kernel: readonly number[];
  readonly up: number;
  readonly down: number;
  /** Of height and of width. */
  readonly pads: readonly [Pads, Pads];
  readonly gain: number;
}

const axes = [0, 1] as const;

// Its gradient is itself with `up` and `down` exchanged and the kernel turned round, so any order of derivative stays within it.
const upFirDnOp: Op<Filter> = defineOp("UpFirDn", {
  shape: ([x], { kernel, up, down, pads }, fail) => {
    const [n, c, ...sides] = x!.shape as [number, number, number, number];
    if (sides.length !== 2) fail("[N, C, H, W] is needed");
    const out = axes.map((i) => Math.floor((sides[i] * up + pads[i][0] + pads[i][1] - kernel.length) / down) + 1);
    if (out.some((side) => side < 1)) fail(`a kernel of ${kernel.length} must fit the padded map`);
    return [n, c, ...out];
  },
  grad: (g, y, { kernel, up, down, pads, gain }) => {
    const from = y.inputs[0]!.shape;
    const back = axes.map((i): Pads => {
      const [before] = pads[i];
      return [kernel.length - 1 - before, from[2 + i]! * up - g.shape[2 + i]! * down + before - up + 1];
    }) as [Pads, Pads];
    return [upFirDnOp([g], { kernel: kernel.toReversed(), up: down, down: up, pads: back, gain })];
  },
  lower(l, inputs, y, { kernel, up, down, pads, gain }) {
    const [n, c, h, w] = y.inputs[0]!.shape as [number, number, number, number];
    let x = inputs[0]!;
    if (up > 1) {
      const apart = l.node("Reshape", [x, l.int64s([n, c, h, 1, w, 1])]);
      const zeros = l.int64s([0, 0, 0, 0, 0, 0, 0, 0, 0, up - 1, 0, up - 1]);
      x = l.node("Reshape", [l.node("Pad", [apart, zeros, l.float(0)]), l.int64s([n, c, h * up, w * up])]);
    }
    if (pads.flat().some((p) => p < 0)) {
      const starts = axes.map((i) => Math.max(-pads[i][0], 0));
      const ends = axes.map((i) => [h, w][i]! * up - Math.max(-pads[i][1], 0));
      x = l.node("Slice", [x, l.int64s(starts), l.int64s(ends), l.int64s([2, 3])]);
    }
    // A convolution of each channel by itself, which the runtime has a fast path for, unlike its transpose.
    const size = kernel.length;
    const square = kernel.flatMap((a) => kernel.map((b) => gain * a * b));
    const taps = Float32Array.from({ length: c * size * size }, (_, i) => square[i % square.length]!);
    return l.node("Conv", [x, l.constant(tensor(taps, [c, 1, size, size]), "fir")], {
      kernel_shape: [size, size],
      strides: [down, down],
      pads: [0, 1].flatMap((end) => axes.map((i) => Math.max(pads[i][end]!, 0))),
      dilations: [1, 1],
      group: c,
    });
  },
});

/**
 * StyleGAN2's `upfirdn2d` (Karras et al. 2020): each channel is enlarged with zeros, padded, convolved with the filter along both
 * axes, and thinned out. x [N, C, H, W]; `filter` holds the taps of one axis. A side of H becomes ⌊(H·up + before + after − taps) / down⌋ + 1.
 */
export function upFirDn2d(x: Value, filter: readonly number[], options: UpFirDnOptions = {}): Value {
  const { up = 1, down = 1, padding = [0, 0], gain = 1 } = options;
  return upFirDnOp([x], { kernel: filter.toReversed(), up, down, pads: [padding, padding], gain });
}
