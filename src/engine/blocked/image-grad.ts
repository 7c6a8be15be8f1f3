import type { Value } from "../graph.ts";
import type { ConvWindow } from "../ops/conv.ts";
import { type BlockedLowering, dividesIntoBlocks } from "./layout.ts";

// The gradient at an image of few channels. A convolution gives whole blocks of channels, so one for the image's three would throw most
// of them away; here a block holds the channels of a square of pixels.

/** One direction: squares of `side` pixels, and the convolution over the gradient that gives them. */
interface Direction {
  readonly taps: number;
  readonly stride: number;
  readonly pads: readonly [number, number];
  /** The place of the kernel that a tap is for a pixel of the square; undefined where it is none. */
  place(pixel: number, tap: number): number | undefined;
}

interface Size {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** Pixel side·i + a meets kernel place k at output pixel i·side / stride + (a + padding − k) / stride. */
function direction({ input, output, kernel, stride, padding }: Size, side: number): Direction | undefined {
  const least = Math.ceil((padding - kernel + 1) / stride);
  const taps = Math.floor((side - 1 + padding) / stride) - least + 1;
  const step = side / stride;
  const after = (input / side - 1) * step + taps + least - output;
  if (input % side !== 0 || least > 0 || after < 0) return undefined;
  return {
    taps,
    stride: step,
    pads: [-least, after],
    place(pixel, tap) {
      const k = pixel + padding - stride * (least + tap);
      return k >= 0 && k < kernel ? k : undefined;
    },
  };
}

/** The gradient at images [N, C, H, W] with fewer channels than a block has, plain; undefined where squares of pixels do not tile them. */
export function imageGradInSquares(
  l: BlockedLowering,
  g: Value,
  w: Value,
  window: ConvWindow & { to: readonly number[] },
) {
  const { stride, padding, dilation, groups, to } = window;
  const c = w.shape[1]!;
  const s = stride[0];
  const side = s * Math.floor(Math.sqrt(l.block / c) / s);
  const plain = groups === 1 && stride[1] === s && dilation.every((d) => d === 1);
  if (!plain || side < 2 || !dividesIntoBlocks(g, l.block)) return undefined;
  const [rows, columns] = [0, 1].map((i) =>
    direction(
      { input: to[2 + i]!, output: g.shape[2 + i]!, kernel: w.shape[2 + i]!, stride: s, padding: padding[i]! },
      side,
    ),
  );
  if (rows === undefined || columns === undefined) return undefined;

  const weight = weightOfSquares(l, w, side, rows, columns);
  const squares = l.blockedNode("Conv", [l.blocked(g), weight], {
    kernel_shape: [rows.taps, columns.taps],
    strides: [rows.stride, columns.stride],
    pads: [rows.pads[0], columns.pads[0], rows.pads[1], columns.pads[1]],
    dilations: [1, 1],
    group: 1,
  });
  const apart = l.blockedNode("ReorderOutput", [squares], { channels: c * side ** 2 });
  return l.node("DepthToSpace", [apart], { blocksize: side, mode: "CRD" });
}

/** The kernel [K, C, kh, kw] as the convolution reads it: [K/b, taps, b of K, b], the last axis by channels and pixels of a square. */
function weightOfSquares(l: BlockedLowering, w: Value, side: number, rows: Direction, columns: Direction): string {
  const [k, c, kh, kw] = w.shape as [number, number, number, number];
  const taps = rows.taps * columns.taps;
  // Behind the kernel's places lies a zero, for all that is none of them.
  const none = c * kh * kw;
  const flat = l.node("Reshape", [l.plain(w), l.int64s([k, none])]);
  const filled = l.node("Pad", [flat, l.int64s([0, 0, 0, 1]), l.float(0)], { mode: "constant" });
  const places = Array.from({ length: taps * l.block }, (_, at) => {
    const [tap, channel] = [Math.floor(at / l.block), at % l.block];
    const [of, pixel] = [Math.floor(channel / side ** 2), channel % side ** 2];
    const row = rows.place(Math.floor(pixel / side), Math.floor(tap / columns.taps));
    const column = columns.place(pixel % side, tap % columns.taps);
    return of >= c || row === undefined || column === undefined ? none : (of * kh + row) * kw + column;
  });
  const gathered = l.node("Gather", [filled, l.int64s(places)], { axis: 1 });
  const parts = l.node("Reshape", [gathered, l.int64s([k / l.block, l.block, taps, l.block])]);
  const ordered = l.node("Transpose", [parts], { perm: [0, 2, 1, 3] });
  return l.node("Reshape", [ordered, l.int64s([l.block, k, rows.taps, columns.taps])]);
}
