import { defineOp, type Op, type Value } from "../graph.ts";
import { type Shape, windowCount } from "../shape.ts";
import { lowerConv, lowerConvInputGrad, lowerConvWeightGrad } from "./conv-lowering.ts";
import { add } from "./elementwise.ts";
import { reshape } from "./movement.ts";

/** How a convolution's window moves; pairs are [height, width]. */
export interface ConvWindow {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

/** The same with PyTorch's defaults: one number stands for both directions. */
export interface ConvOptions {
  readonly stride?: number | readonly [number, number];
  readonly padding?: number | readonly [number, number];
  readonly dilation?: number | readonly [number, number];
  readonly groups?: number;
}

const pair = (x: number | readonly [number, number] | undefined, otherwise: number): readonly [number, number] =>
  x === undefined ? [otherwise, otherwise] : typeof x === "number" ? [x, x] : x;

const windowOf = ({ stride, padding, dilation, groups }: ConvOptions): ConvWindow => ({
  stride: pair(stride, 1),
  padding: pair(padding, 0),
  dilation: pair(dilation, 1),
  groups: groups ?? 1,
});

function outputSize(x: Shape, kernel: Shape, w: ConvWindow): [number, number] {
  return [0, 1].map((i) => windowCount(x[2 + i]!, kernel[i]!, w.stride[i]!, w.padding[i]!, w.dilation[i]!)) as [
    number,
    number,
  ];
}

// The three ops below are each other's gradients, so any order of derivative stays among them.

const convOp: Op<ConvWindow> = defineOp("Conv", {
  shape: ([x, w], window, fail) => {
    const [n, c, ...rest] = x!.shape;
    const [k, perGroup, ...kernel] = w!.shape;
    if (rest.length !== 2 || kernel.length !== 2) fail("[N, C, H, W] and [K, C/groups, kh, kw] are needed");
    if (perGroup! * window.groups !== c || k! % window.groups !== 0)
      fail(`channels must match in ${window.groups} groups`);
    const out = outputSize(x!.shape, kernel, window);
    if (out.some((o) => o < 1)) fail(`the kernel must fit the padded input (padding ${window.padding.join(", ")})`);
    return [n!, k!, ...out];
  },
  grad: (g, y, window) => {
    const [x, w] = y.inputs as [Value, Value];
    return [inputGrad(g, w, x.shape, window), weightGrad(x, g, w.shape, window)];
  },
  lower: (l, inputs, y, window) => lowerConv(l, inputs, y, window),
});

const inputGradOp: Op<ConvWindow & { to: Shape }> = defineOp("ConvInputGrad", {
  shape: ([g, w], window, fail) => {
    const [oh, ow] = outputSize(window.to, w!.shape.slice(2), window);
    if (g!.shape[2] !== oh || g!.shape[3] !== ow) fail(`an input of ${window.to.join("×")} must give this output`);
    if (g!.shape[1] !== w!.shape[0] || window.to[1] !== w!.shape[1]! * window.groups)
      fail("channels must match the kernel");
    return window.to;
  },
  grad: (h, y, { to: _, ...window }) => {
    const [g, w] = y.inputs as [Value, Value];
    return [convOp([h, w], window), weightGrad(h, g, w.shape, window)];
  },
  lower: (l, inputs, y, window) => lowerConvInputGrad(l, inputs, y, window),
});

const weightGradOp: Op<ConvWindow & { to: Shape }> = defineOp("ConvWeightGrad", {
  shape: ([x, g], window, fail) => {
    const [oh, ow] = outputSize(x!.shape, window.to.slice(2), window);
    if (g!.shape[2] !== oh || g!.shape[3] !== ow) fail(`a kernel of ${window.to.join("×")} must give this output`);
    return window.to;
  },
  grad: (h, y, { to: _, ...window }) => {
    const [x, g] = y.inputs as [Value, Value];
    return [inputGrad(g, h, x.shape, window), convOp([x, h], window)];
  },
  lower: (l, inputs, y, window) => lowerConvWeightGrad(l, inputs, y, window),
});

const inputGrad = (g: Value, w: Value, to: Shape, window: ConvWindow) => inputGradOp([g, w], { ...window, to });
const weightGrad = (x: Value, g: Value, to: Shape, window: ConvWindow) => weightGradOp([x, g], { ...window, to });

const perChannel = (bias: Value) => reshape(bias, [1, bias.shape[0]!, 1, 1]);

/** Convolution as PyTorch's `conv2d`: x [N, C, H, W], weight [K, C/groups, kh, kw], bias [K] */
export function conv2d(x: Value, weight: Value, options: ConvOptions = {}, bias?: Value): Value {
  const y = convOp([x, weight], windowOf(options));
  return bias === undefined ? y : add(y, perChannel(bias));
}

/**
 * Transposed convolution as PyTorch's `conv_transpose2d`: x [N, C, H, W], weight [C, K/groups, kh, kw], bias [K].
 * The output has (H − 1)·stride − 2·padding + dilation·(kh − 1) + outputPadding + 1 rows.
 */
export function convTranspose2d(
  x: Value,
  weight: Value,
  options: ConvOptions & { readonly outputPadding?: number | readonly [number, number] } = {},
  bias?: Value,
): Value {
  const window = windowOf(options);
  const extra = pair(options.outputPadding, 0);
  const size = [0, 1].map(
    (i) =>
      (x.shape[2 + i]! - 1) * window.stride[i]! -
      2 * window.padding[i]! +
      window.dilation[i]! * (weight.shape[2 + i]! - 1) +
      extra[i]! +
      1,
  );
  const y = inputGrad(x, weight, [x.shape[0]!, weight.shape[1]! * window.groups, ...size], window);
  return bias === undefined ? y : add(y, perChannel(bias));
}

/**
 * Each image's own gradient of a convolution's kernel [K, C/groups, kh, kw]: x [N, C, H, W] as it went in, g [N, K, oh, ow] as it came
 * back, gives [N, K, C/groups, kh, kw]; their sum over N is the kernel's gradient.
 */
export function conv2dWeightGradients(x: Value, g: Value, kernel: Shape, options: ConvOptions = {}): Value {
  const window = windowOf(options);
  const [n, k] = [x.shape[0]!, kernel[0]!];
  // With the images side by side as groups of channels, no two of them share a kernel.
  const aside = (v: Value) => reshape(v, [1, n * v.shape[1]!, ...v.shape.slice(2)]);
  const grouped = { ...window, groups: n * window.groups };
  return reshape(weightGrad(aside(x), aside(g), [n * k, ...kernel.slice(1)], grouped), [n, ...kernel]);
}
