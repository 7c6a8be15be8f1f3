import type { Value } from "../graph.ts";
import type { ConvWindow } from "../ops/conv.ts";
import { gathered, shiftsBothSides, weightGradByShifts, weightGradFromColumns } from "../ops/conv-lowering.ts";
import type { Shape } from "../shape.ts";
import { depthwiseWeightGrad, isDepthwise } from "./depthwise.ts";
import { imageGradInSquares } from "./image-grad.ts";
import { type BlockedRule, dividesIntoBlocks } from "./layout.ts";
import { weightGradByRows } from "./weight-grad.ts";
import { allTaps, backwardWeight, depthwiseWeight, forwardWeight, type Taps } from "./weights.ts";

type Gradient = ConvWindow & { readonly to: Shape };
type Pair = readonly [number, number];

const windowOf = (y: Value) => y.attributes as unknown as ConvWindow;
const kernelOf = (w: Value) => w.shape.slice(2) as unknown as Pair;

/** Attributes of the runtime's convolution; pads are [top, left, bottom, right]. */
const convAttributes = (
  kernel: Shape,
  pads: Shape,
  { groups, stride = [1, 1], dilation = [1, 1] }: Pick<ConvWindow, "groups"> & Partial<ConvWindow>,
) => ({
  kernel_shape: kernel,
  strides: stride,
  pads,
  dilations: dilation,
  group: groups,
});

/** The runtime has blocked convolutions of one group, and depthwise ones. */
const hasBlockedForm = (window: ConvWindow, w: Value) => window.groups === 1 || isDepthwise(window, w);

/** A convolution whose channels fill blocks; those of images need not. */
export const convRule: BlockedRule = (l, y) => {
  const [x, w] = y.inputs as [Value, Value];
  const window = windowOf(y);
  const { padding } = window;
  const fromImages = x.shape[1]! < l.block;
  if (!hasBlockedForm(window, w) || !dividesIntoBlocks(y, l.block) || !(fromImages || dividesIntoBlocks(x, l.block)))
    return undefined;
  return {
    open: {
      input: fromImages ? l.plain(x) : l.blocked(x),
      weight: forwardWeight(l, w),
      attributes: convAttributes(kernelOf(w), [...padding, ...padding], window),
      path: y.path,
    },
  };
};

/**
 * The gradient at the input: with stride 1 a convolution with the kernel turned round; with a larger one a small convolution for each
 * position within the stride, whose results are then put side by side.
 */
export const convInputGradRule: BlockedRule = (l, y) => {
  const [g, w] = y.inputs as [Value, Value];
  const window = y.attributes as unknown as Gradient;
  const { groups, stride, dilation, padding } = window;
  if (y.shape[1]! < l.block && l.isBlocked(g)) {
    const images = imageGradInSquares(l, g, w, window);
    return images === undefined ? undefined : { plain: images };
  }
  if (!hasBlockedForm(window, w) || !dividesIntoBlocks(y, l.block) || !dividesIntoBlocks(g, l.block)) return undefined;
  const kernel = kernelOf(w);
  const weight = (taps: Taps) => (isDepthwise(window, w) ? depthwiseWeight : backwardWeight)(l, w, taps);
  if (stride.every((s) => s === 1)) {
    const pads = [0, 1].map((i) => dilation[i]! * (kernel[i]! - 1) - padding[i]!);
    if (pads.some((p) => p < 0)) return undefined;
    const attributes = convAttributes(kernel, [...pads, ...pads], { groups, dilation });
    return { open: { input: l.blocked(g), weight: weight(allTaps(kernel, true)), attributes, path: y.path } };
  }
  const [s] = stride;
  const exact = stride[1] === s && dilation.every((d) => d === 1);
  if (!exact || [0, 1].some((i) => window.to[2 + i]! !== s * g.shape[2 + i]!)) return undefined;
  const [rows, columns] = [0, 1].map((i) =>
    Array.from({ length: s }, (_, at) => phase(kernel[i]!, padding[i]!, s, at)),
  ) as [Phase[], Phase[]];
  if ([...rows, ...columns].some(({ before, after }) => before < 0 || after < 0)) return undefined;
  const [n, , h, width] = g.shape as [number, number, number, number];
  const c = window.to[1]!;
  const conv = (row: Phase, column: Phase): string => {
    const taps: Taps = { rows: row.places, columns: column.places };
    const pads = [row.before, column.before, row.after, column.after];
    const attributes = convAttributes([row.places.length, column.places.length], pads, { groups });
    return l.blockedNode("Conv", [l.blocked(g), weight(taps)], attributes);
  };
  const shape = l.int64s(window.to);
  const reached = rows.flatMap((row, a) =>
    columns.flatMap((column, b) => (row.places.length > 0 && column.places.length > 0 ? [{ row, column, a, b }] : [])),
  );
  const blocks = (n * c) / l.block;
  if (reached.length === 1 && reached[0]!.a === 0 && reached[0]!.b === 0) {
    // A kernel of one place meets one position of each stride: the others are zero.
    const [{ row, column }] = reached as [(typeof reached)[0]];
    const pixels = [blocks, h * width, l.block] as const;
    const places = Array.from({ length: h * s * width * s }, (_, at) => {
      const [i, j] = [Math.floor(at / (width * s)), at % (width * s)];
      return i % s === 0 && j % s === 0 ? (i / s) * width + j / s : undefined;
    });
    const spread = gathered(l, l.node("Reshape", [conv(row, column), l.int64s(pixels)]), pixels, places);
    return { blocked: l.node("Reshape", [spread, shape]) };
  }
  if (reached.length < s * s) return undefined;
  const phases = l.node(
    "Concat",
    rows.flatMap((row) => columns.map((column) => conv(row, column))),
    { axis: 0 },
  );
  const apart = l.node("Reshape", [phases, l.int64s([s, s, blocks, h, width, l.block])]);
  return { blocked: l.node("Reshape", [l.node("Transpose", [apart], { perm: [2, 3, 0, 4, 1, 5] }), shape]) };
};

/** One direction of one position within the stride: the kernel's places that meet it, and how far they reach over the gradient's ends. */
interface Phase {
  readonly places: readonly number[];
  readonly before: number;
  readonly after: number;
}

/** Input pixel s·i + at meets kernel place k at output pixel i + d where k = at + padding − s·d. */
function phase(size: number, padding: number, s: number, at: number): Phase {
  const least = Math.ceil((at + padding - size + 1) / s);
  const most = Math.floor((at + padding) / s);
  const places = Array.from({ length: Math.max(0, most - least + 1) }, (_, i) => at + padding - s * (least + i));
  return places.length === 0 ? { places, before: 0, after: 0 } : { places, before: -least, after: most };
}

/** The weight's gradient from whole planes or channels-last copies, which the runtime makes of blocks on all threads. */
export const convWeightGradRule: BlockedRule = (l, y) => {
  const [x, g] = y.inputs as [Value, Value];
  const window = y.attributes as unknown as Gradient;
  const blocked = dividesIntoBlocks(x, l.block) && dividesIntoBlocks(g, l.block);
  if (!(l.isBlocked(x) || l.isBlocked(g))) return undefined;
  if (blocked && isDepthwise(window, y)) {
    const sums = depthwiseWeightGrad(l, x, g, window);
    if (sums !== undefined) return { plain: sums };
  }
  const byRows = weightGradByRows(l, x, g, window);
  if (byRows !== undefined) return { plain: byRows };
  if (window.groups !== 1 || !blocked) return undefined;
  if (shiftsBothSides(g, window)) return { plain: weightGradByShifts(l, [l.plain(x), l.plain(g)], g, window) };
  const sums = weightGradFromColumns(l, [l.channelsLast(x), l.channelsLast(g)], x, g, window);
  const [k, c, kh, kw] = window.to as [number, number, number, number];
  // From channels last to whole planes by way of blocks: two passes on all threads are faster than Transpose's one.
  const image = l.node("Reshape", [sums, l.int64s([k, kh, kw, c])]);
  const inBlocks = l.blockedNode("ReorderInput", [image], { channels_last: 1 });
  return { plain: l.blockedNode("ReorderOutput", [inBlocks], { channels: c }) };
};
