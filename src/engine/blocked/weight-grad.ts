import type { Value } from "../graph.ts";
import type { ConvWindow } from "../ops/conv.ts";
import { gathered, met } from "../ops/conv-lowering.ts";
import type { Shape } from "../shape.ts";
import { type BlockedLowering, dividesIntoBlocks } from "./layout.ts";

// The weight's gradient as a convolution. A blocked gradient [K/b, H·W/b, b pixels, b of K] of one image lies in memory just as the
// weights of a convolution do whose input channels are b pixels of a row: so read, each image is a group of its own. The input takes the
// same order, its pixels in blocks and its channels side by side, once for each column of the kernel; rows of the kernel are met by sliding.

type Gradient = ConvWindow & { readonly to: Shape };

/** Rows are filled up to whole blocks, where that is not too much of them. */
const LEAST_FILLED = 0.75;

/**
 * Pixels of padding behind a map, along its rows (0) or columns (1), with which a gradient that slides over it stops at just as many
 * places as the kernel has; negative where it would slide further without any.
 */
export function paddingBehind(x: Value, g: Value, { stride, dilation, padding, to }: Gradient, axis: 0 | 1): number {
  const [kernel, slid, size] = [to, g.shape, x.shape].map((shape) => shape[2 + axis]!) as [number, number, number];
  return (kernel - 1) * dilation[axis] + (slid - 1) * stride[axis] + 1 - size - padding[axis];
}

/** Pixels of a row of the gradient in whole blocks; undefined where another form is better or the only one. */
function blockedWidth(l: BlockedLowering, x: Value, g: Value, window: Gradient) {
  const { groups, to } = window;
  const [kh, kw] = to.slice(2) as [number, number];
  const ow = g.shape[3]!;
  const wide = Math.ceil(ow / l.block) * l.block;
  if (groups !== 1 || kh * kw === 1 || !dividesIntoBlocks(g, l.block) || ow < LEAST_FILLED * wide) return undefined;
  const below = paddingBehind(x, g, window, 0);
  return below < 0 ? undefined : { wide, below };
}

/** The weight's gradient, plain; undefined where rows do not fill blocks. */
export function weightGradByRows(l: BlockedLowering, x: Value, g: Value, window: Gradient): string | undefined {
  const fit = blockedWidth(l, x, g, window);
  if (fit === undefined) return undefined;
  const { wide, below } = fit;
  const { block: b } = l;
  const { stride, dilation, padding } = window;
  const [k, c, kh, kw] = window.to as [number, number, number, number];
  const [n, , oh, ow] = g.shape as [number, number, number, number];
  const h = x.shape[2]!;
  const columns = pixelsInBlocks(l, x, g, wide, window);
  const input = l.node("Reshape", [columns, l.int64s([1, n * b, h, (wide / b) * kw * c])]);
  const weight = l.node("Reshape", [
    widened(l, l.blocked(g), [(n * k) / b, oh, ow, b], wide),
    l.int64s([n * k, b, oh, wide / b]),
  ]);
  const products = l.blockedNode("Conv", [input, weight], {
    kernel_shape: [oh, wide / b],
    strides: [dilation[0], 1],
    pads: [padding[0], 0, below, 0],
    dilations: [stride[0], kw * c],
    group: n,
  });
  const each = l.node("Reshape", [products, l.int64s([n, k * kh * kw * c])]);
  const total = l.node("ReduceSum", [each, l.int64s([0])], { keepdims: 0 });
  const inBlocks = l.node("Reshape", [total, l.int64s([k / b, kh, kw, c, b])]);
  return l.node("Reshape", [l.node("Transpose", [inBlocks], { perm: [0, 4, 3, 1, 2] }), l.int64s(window.to)]);
}

/** Rows of any pixels behind their own: what they meet is zero. */
function widened(l: BlockedLowering, name: string, shape: Shape, wide: number): string {
  const width = shape[2]!;
  if (wide === width) return name;
  const columns = Array.from({ length: wide }, (_, at) => (at < width ? at : 0));
  return l.node("Gather", [l.node("Reshape", [name, l.int64s(shape)]), l.int64s(columns)], { axis: 2 });
}

/** [N, H, wide/b, kernel column, C, b]: for each column of the kernel the pixels of each row that meet it, zeros where the row is filled up. */
function pixelsInBlocks(
  l: BlockedLowering,
  x: Value,
  g: Value,
  wide: number,
  { stride, dilation, padding, to }: Gradient,
): string {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const kw = to[3]!;
  const pixels = l.node("Reshape", [l.channelsLast(x), l.int64s([n * h, w, c])]);
  const side = { places: kw, stride: stride[1], dilation: dilation[1], padding: padding[1], size: w };
  const own = met({ outputs: g.shape[3]!, ...side }).flat();
  const behind = Array.from({ length: wide * kw - own.length }, () => undefined);
  const columns = gathered(l, pixels, [n * h, w, c], [...own, ...behind]);
  const rows = l.node("Reshape", [columns, l.int64s([n * h, wide, 1, kw * c])]);
  return l.blockedNode("ReorderInput", [rows]);
}
