import { constantTensor, type Value } from "../graph.ts";
import type { Lowering } from "../lowering.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { ConvWindow } from "./conv.ts";

// Which ONNX pattern computes a convolution or one of its gradients: decided here and nowhere else.

const attributes = (kernel: Shape, { stride, padding, dilation, groups }: ConvWindow) => ({
  kernel_shape: kernel,
  strides: stride,
  pads: [...padding, ...padding],
  dilations: dilation,
  group: groups,
});

export function lowerConv(l: Lowering, inputs: readonly string[], y: Value, window: ConvWindow): string {
  return l.node("Conv", inputs, attributes(y.inputs[1]!.shape.slice(2), window));
}

/**
 * The input's gradient as a plain convolution, which the runtime runs faster than ConvTranspose, above all where the kernel is fixed
 * and packed once: with stride 1 the kernel turned round, with a larger stride one small kernel for each position within the stride.
 */
export function lowerConvInputGrad(
  l: Lowering,
  inputs: readonly string[],
  y: Value,
  window: ConvWindow & { to: Shape },
): string {
  const [g, w] = y.inputs as [Value, Value];
  const kernel = w.shape.slice(2);
  const turned = [0, 1].map((i) => window.dilation[i]! * (kernel[i]! - 1) - window.padding[i]!) as [number, number];
  const fixed = constantTensor(w);
  const unitStride = window.stride.every((s) => s === 1) && turned.every((p) => p >= 0);
  if (unitStride && window.groups === 1) {
    const weight =
      fixed === undefined ? turnInGraph(l, inputs[1]!) : l.constant(turnKernel(fixed), `${w.leaf?.name}.turned`);
    return l.node("Conv", [inputs[0]!, weight], attributes(kernel, { ...window, padding: turned }));
  }
  if (fixed !== undefined && isSubPixel(g.shape, kernel, window)) {
    return lowerSubPixel(l, inputs[0]!, g.shape, fixed, `${w.leaf?.name}.phases`, window);
  }
  const outputPadding = [0, 1].map(
    (i) => window.to[2 + i]! - ((g.shape[2 + i]! - 1) * window.stride[i]! - window.padding[i]! + (turned[i]! + 1)),
  );
  return l.node("ConvTranspose", inputs, { ...attributes(kernel, window), output_padding: outputPadding });
}

/** Square strides that multiply the map exactly; a 1×1 kernel would be mostly zeros. */
function isSubPixel(
  g: Shape,
  kernel: Shape,
  { stride, padding, dilation, groups, to }: ConvWindow & { to: Shape },
): boolean {
  const [s] = stride;
  const exact = stride[1] === s && to[2] === s * g[2]! && to[3] === s * g[3]!;
  return (
    s > 1 && exact && groups === 1 && dilation.every((d) => d === 1) && kernel.every((k, i) => k > s && padding[i]! < k)
  );
}

/** One direction of a sub-pixel convolution: which kernel place each of its taps takes for each position within the stride. */
interface Direction {
  readonly taps: number;
  readonly pads: readonly [number, number];
  /** Pixels of the enlarged map before the first that is wanted. */
  readonly cropped: number;
  place(position: number, tap: number): number;
}

/** Output pixel s·i + a takes kernel place k from pixel i + d where k = a + p − s·d: all positions a over the same offsets d. */
function aligned(size: number, padding: number, s: number): Direction {
  const least = Math.ceil((padding - size + 1) / s);
  const most = Math.floor((s - 1 + padding) / s);
  return {
    taps: most - least + 1,
    pads: [-least, most],
    cropped: 0,
    place: (a, tap) => a + padding - s * (least + tap),
  };
}

/** The same for the map before its padding is cut off, where pixel s·i + a takes places a, a + s, …: no tap is idle, but the map is larger. */
function whole(size: number, padding: number, s: number): Direction {
  const taps = Math.ceil(size / s);
  return { taps, pads: [taps - 1, taps - 1], cropped: padding, place: (a, tap) => a + s * (taps - 1 - tap) };
}

/** Each of the s² positions within the stride is a convolution; all are computed as channels of one, then moved to their places. */
function lowerSubPixel(
  l: Lowering,
  g: string,
  from: Shape,
  weight: Tensor,
  name: string,
  window: ConvWindow & { to: Shape },
): string {
  const s = window.stride[0];
  const [k, c, kh, kw] = weight.shape as [number, number, number, number];
  const [h, w] = from.slice(2) as [number, number];
  const pair = (direction: typeof whole) => [direction(kh, window.padding[0], s), direction(kw, window.padding[1], s)];
  const steps = (n: number, { taps, pads }: Direction) => taps * (n + pads[0] + pads[1] - taps + 1);
  const products = ([rows, columns]: Direction[]) => steps(h, rows!) * steps(w, columns!);
  const [rows, columns] = [pair(aligned), pair(whole)].sort((a, b) => products(a) - products(b))[0] as [
    Direction,
    Direction,
  ];
  const area = rows.taps * columns.taps;
  const phases = new Float32Array(s * s * c * k * area);
  for (let a = 0; a < s; a++)
    for (let b = 0; b < s; b++)
      for (let tap = 0; tap < area; tap++) {
        const row = rows.place(a, Math.floor(tap / columns.taps));
        const column = columns.place(b, tap % columns.taps);
        if (row < 0 || row >= kh || column < 0 || column >= kw) continue;
        for (let to = 0; to < c; to++)
          for (let of = 0; of < k; of++)
            phases[(((a * s + b) * c + to) * k + of) * area + tap] =
              weight.data[((of * c + to) * kh + row) * kw + column]!;
      }
  const kernel = [rows.taps, columns.taps];
  const fixed = l.constant(tensor(phases, [s * s * c, k, ...kernel]), name);
  const pads = [rows.pads[0], columns.pads[0], rows.pads[1], columns.pads[1]];
  const computed = l.node("Conv", [g, fixed], { kernel_shape: kernel, pads });
  const enlarged = l.node("DepthToSpace", [computed], { blocksize: s, mode: "DCR" });
  const starts = [rows.cropped, columns.cropped];
  if (starts.every((start) => start === 0)) return enlarged;
  const ends = starts.map((start, i) => start + window.to[2 + i]!);
  return l.node("Slice", [enlarged, l.int64s(starts), l.int64s(ends), l.int64s([2, 3])]);
}

/** What `turnKernel` does, for a kernel that is known only when the graph runs. */
function turnInGraph(l: Lowering, weight: string): string {
  const swapped = l.node("Transpose", [weight], { perm: [1, 0, 2, 3] });
  const both = (n: number) => l.int64s([n, n]);
  return l.node("Slice", [swapped, both(-1), both(-(2 ** 31)), l.int64s([2, 3]), both(-1)]);
}

/** [K, C, kh, kw] → [C, K, kh, kw] with rows and columns in the opposite order */
function turnKernel({ shape, data }: Tensor): Tensor {
  const [k, c, kh, kw] = shape as [number, number, number, number];
  const area = kh * kw;
  const out = new Float32Array(sizeOf(shape));
  for (let i = 0; i < k; i++)
    for (let j = 0; j < c; j++)
      for (let a = 0; a < area; a++) out[(j * k + i) * area + a] = data[(i * c + j) * area + area - 1 - a]!;
  return tensor(out, [c, k, kh, kw]);
}

/** The weight's gradient as matrix products over shifted copies of the input. */
export function lowerConvWeightGrad(
  l: Lowering,
  inputs: readonly string[],
  y: Value,
  window: ConvWindow & { to: Shape },
): string {
  const [x, g] = y.inputs as [Value, Value];
  if (window.groups > 1 || x.shape[1]! < 16) return weightGradPerImage(l, inputs, x, g, window);
  if (shiftsBothSides(g, window)) return weightGradByShifts(l, inputs, g, window);
  const channelsLast = inputs.map((name) => l.node("Transpose", [name], { perm: [0, 2, 3, 1] }));
  return asKernel(l, weightGradFromColumns(l, channelsLast, x, g, window), window.to);
}

/**
 * With channels last all images share one product, which is faster for small maps; with large ones copying costs more than arithmetic,
 * and it is shared: the input is shifted along rows and the gradient along columns.
 */
export function shiftsBothSides(g: Value, { groups, stride, dilation, to }: ConvWindow & { to: Shape }): boolean {
  const area = g.shape[2]! * g.shape[3]!;
  const plain = dilation.every((d) => d === 1) || stride.every((s) => s === 1);
  return groups === 1 && plain && to[2]! > 1 && area >= 256;
}

/**
 * A product an image of the gradient's copies, each a kernel row's, by the input's, each a kernel column's. Kernel rows that meet the same
 * rows of the input, those that differ by the stride, share one product.
 */
export function weightGradByShifts(
  l: Lowering,
  [xName, gName]: readonly string[],
  g: Value,
  window: ConvWindow & { to: Shape },
): string {
  const { stride, dilation, to } = window;
  const [k, c, kh, kw] = to as [number, number, number, number];
  const [n, , oh, ow] = g.shape as [number, number, number, number];
  const wide = padded(l, xName!, window, (h, w) => [0, 0, h, w]);
  const residues = Array.from({ length: Math.min(stride[0], kh) }, (_, first) => {
    const rows: number[] = [];
    for (let row = first; row < kh; row += stride[0]) rows.push(row);
    return rows;
  });
  const products = residues.map((rows) => {
    // Each kernel row but the first meets the input `step` rows further down, counted in rows of the stride.
    const step = stride[0] === 1 ? dilation[0] : 1;
    const reach = oh + step * (rows.length - 1);
    const columns = Array.from({ length: kw }, (_, j) => {
      const start = [rows[0]! * dilation[0], j * dilation[1]];
      const end = [start[0]! + (reach - 1) * stride[0] + 1, start[1]! + (ow - 1) * stride[1] + 1];
      const copy = l.node("Slice", [wide, l.int64s(start), l.int64s(end), l.int64s([2, 3]), l.int64s(stride)]);
      return l.node("Reshape", [copy, l.int64s([n, c, reach * ow])]);
    });
    const shifted = rows.map((_, i) => {
      const pads = [0, 0, step * i, 0, 0, 0, reach - oh - step * i, 0];
      const copy =
        rows.length === 1 ? gName! : l.node("Pad", [gName!, l.int64s(pads), l.float(0)], { mode: "constant" });
      return l.node("Reshape", [copy, l.int64s([n, k, reach * ow])]);
    });
    const across = l.node("Transpose", [concatenated(l, columns, 1)], { perm: [0, 2, 1] });
    const product = l.node("MatMul", [concatenated(l, shifted, 1), across]);
    const total = l.node("ReduceSum", [product, l.int64s([0])], { keepdims: 0 });
    return l.node("Reshape", [total, l.int64s([rows.length, k, kw, c])]);
  });
  const order = residues.flat();
  const stacked = concatenated(l, products, 0);
  const sorted =
    residues.length === 1
      ? stacked
      : l.node("Gather", [stacked, l.int64s(order.map((_, row) => order.indexOf(row)))], { axis: 0 });
  return l.node("Transpose", [sorted], { perm: [1, 3, 0, 2] });
}

/** For each place of the kernel, in rows: the padded input's elements that it meets. */
function shiftedCopies(
  l: Lowering,
  padded: string,
  g: Value,
  { stride, dilation, to }: ConvWindow & { to: Shape },
): string[] {
  const [kh, kw] = to.slice(2) as [number, number];
  const [oh, ow] = g.shape.slice(2) as [number, number];
  if (kh === 1 && kw === 1 && stride.every((s) => s === 1)) return [padded];
  const axes = l.int64s([2, 3]);
  const copies: string[] = [];
  for (let i = 0; i < kh; i++)
    for (let j = 0; j < kw; j++) {
      const [top, left] = [i * dilation[0], j * dilation[1]];
      const end = [top + (oh - 1) * stride[0] + 1, left + (ow - 1) * stride[1] + 1];
      copies.push(l.node("Slice", [padded, l.int64s([top, left]), l.int64s(end), axes, l.int64s(stride)]));
    }
  return copies;
}

function padded(
  l: Lowering,
  x: string,
  { padding }: Pick<ConvWindow, "padding">,
  around: (h: number, w: number) => number[],
): string {
  if (padding.every((p) => p === 0)) return x;
  const side = around(padding[0], padding[1]);
  return l.node("Pad", [x, l.int64s([...side, ...side]), l.float(0)], { mode: "constant" });
}

function concatenated(l: Lowering, parts: readonly string[], axis: number): string {
  return parts.length === 1 ? parts[0]! : l.node("Concat", parts, { axis });
}

/** Sums that are laid out by [K, kernel place, C] as the kernel [K, C, kh, kw]. */
function asKernel(l: Lowering, sums: string, to: Shape): string {
  const [k, c, kh, kw] = to as [number, number, number, number];
  const places = l.node("Reshape", [sums, l.int64s([k, kh * kw, c])]);
  return l.node("Reshape", [l.node("Transpose", [places], { perm: [0, 2, 1] }), l.int64s(to)]);
}

function weightGradPerImage(
  l: Lowering,
  [xName, gName]: readonly string[],
  x: Value,
  g: Value,
  window: ConvWindow & { to: Shape },
): string {
  const [n, c] = x.shape as [number, number];
  const [k] = window.to as [number];
  const { groups } = window;
  const area = g.shape[2]! * g.shape[3]!;
  const copies = shiftedCopies(
    l,
    padded(l, xName!, window, (h, w) => [0, 0, h, w]),
    g,
    window,
  );
  const rows = copies.map((copy) => l.node("Reshape", [copy, l.int64s([n, groups, c / groups, area])]));
  const columns = concatenated(l, rows, 2);
  const gRows = l.node("Reshape", [gName!, l.int64s([n, groups, k / groups, area])]);
  const product = l.node("MatMul", [gRows, l.node("Transpose", [columns], { perm: [0, 1, 3, 2] })]);
  const total = l.node("ReduceSum", [product, l.int64s([0])], { keepdims: 0 });
  return asKernel(l, total, window.to);
}

/** All images in one product, from input [N, H, W, C] and gradient [N, oh, ow, K] with channels last; gives [K, kh·kw·C]. */
export function weightGradFromColumns(
  l: Lowering,
  [xLast, gLast]: readonly string[],
  x: Value,
  g: Value,
  window: ConvWindow & { to: Shape },
): string {
  const [n, , oh, ow] = g.shape as [number, number, number, number];
  const [k, c, kh, kw] = window.to as [number, number, number, number];
  const columns = l.node("Reshape", [metPixels(l, xLast!, x, [oh, ow], window), l.int64s([n * oh * ow, kh * kw * c])]);
  const gRows = l.node("Reshape", [gLast!, l.int64s([n * oh * ow, k])]);
  return l.node("Gemm", [gRows, columns], { transA: 1 });
}

/** For each pixel of the gradient those of the input [N, H, W, C] that the places of the kernel meet, in rows: [N, oh·ow, kh·kw, C]. */
function metPixels(
  l: Lowering,
  xLast: string,
  x: Value,
  outputs: readonly [number, number],
  { stride, padding, dilation, to }: ConvWindow & { to: Shape },
): string {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [kh, kw] = to.slice(2) as [number, number];
  if (kh === 1 && kw === 1 && stride.every((s) => s === 1) && padding.every((p) => p === 0)) return xLast;
  const [rows, columns] = [0, 1].map((i) =>
    met({
      outputs: outputs[i]!,
      places: to[2 + i]!,
      stride: stride[i]!,
      dilation: dilation[i]!,
      padding: padding[i]!,
      size: x.shape[2 + i]!,
    }),
  ) as [Met, Met];
  const pixels = l.node("Reshape", [xLast, l.int64s([n, h * w, c])]);
  const places = rows.flatMap((row) =>
    columns.flatMap((column) =>
      row.flatMap((i) => column.map((j) => (i === undefined || j === undefined ? undefined : i * w + j))),
    ),
  );
  return gathered(l, pixels, [n, h * w, c], places);
}

/** For each pixel along a side of the output those of the input that the kernel's places meet; undefined where that is none. */
export type Met = readonly (readonly (number | undefined)[])[];

/** Along one side. */
export function met(side: {
  readonly outputs: number;
  readonly places: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: number;
  /** Pixels of the input. */
  readonly size: number;
}): Met {
  const { outputs, places, stride, dilation, padding, size } = side;
  return Array.from({ length: outputs }, (_, at) =>
    Array.from({ length: places }, (_, place) => {
      const pixel = at * stride + place * dilation - padding;
      return pixel >= 0 && pixel < size ? pixel : undefined;
    }),
  );
}

/**
 * Copies of pixels [M, P, C] in that order, zeros where no pixel is named. One copy on all threads, where slices that are then joined would
 * be two on one; and one pixel of zeros for all, where a frame of them would be a copy on one thread.
 */
export function gathered(
  l: Lowering,
  pixels: string,
  [m, p, c]: readonly [number, number, number],
  places: readonly (number | undefined)[],
): string {
  const zero = () => l.node("ConstantOfShape", [l.int64s([m, 1, c])]);
  const from = places.includes(undefined) ? concatenated(l, [pixels, zero()], 1) : pixels;
  return l.node("Gather", [from, l.int64s(places.map((place) => place ?? p))], { axis: 1 });
}
