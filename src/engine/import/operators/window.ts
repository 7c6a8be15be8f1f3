import type { Value } from "../../graph.ts";
import { pad, reshape } from "../../ops/movement.ts";
import { type Call, wholeList } from "../call.ts";

/** A number for height and one for width. */
export type Pair = readonly [number, number];

/** How a window moves over height and width; padding before and after may differ. */
export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly before: Pair;
  readonly after: Pair;
}

const MAX_SIZE = 2 ** 16;

/**
 * One entry an axis of a list attribute, as [height, width]; a single axis is the width.
 * @throws UserError for another number of axes than one or two, and for entries that are no sizes.
 */
export function pairOf(c: Call, name: string, rank: number, otherwise: number, least = 1): Pair {
  const list = wholeList(c, name, c.list(name) ?? Array<number>(rank).fill(otherwise), { count: rank, least });
  if (list.some((n) => n > MAX_SIZE)) c.fail(`${name} is [${list}], at most ${MAX_SIZE} is supported`);
  return rank === 1 ? [otherwise === 0 ? 0 : 1, list[0]!] : [list[0]!, list[1]!];
}

/** The number of axes behind batch and channels. @throws UserError unless it is one or two. */
export function spatialRank(c: Call, x: Value): 1 | 2 {
  const rank = x.shape.length - 2;
  if (x.dtype !== "float32") c.fail(`input 1 has element type ${x.dtype}, only real numbers are supported`);
  return rank === 1 || rank === 2 ? rank : c.fail(`${rank} axes behind batch and channels, one or two are supported`);
}

/** [N, C, L] as [N, C, 1, L]; images as they are. */
export function asImage(x: Value): Value {
  return x.shape.length === 3 ? reshape(x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!]) : x;
}

/** What `asImage` made of one axis, back in the rank that it had. */
export function fromImage(y: Value, rank: 1 | 2): Value {
  return rank === 2 ? y : reshape(y, [y.shape[0]!, y.shape[1]!, y.shape[3]!]);
}

/** The window of a convolution or pooling node over an image of the given size (`auto_pad` and `pads` in ONNX). */
export function windowOf(c: Call, rank: 1 | 2, kernel: Pair, size: Pair): Window {
  const stride = pairOf(c, "strides", rank, 1);
  const dilation = pairOf(c, "dilations", rank, 1);
  const mode = c.text("auto_pad", "NOTSET");
  if (mode === "SAME_UPPER" || mode === "SAME_LOWER") {
    const total = both((i) => {
      const outputs = Math.ceil(size[i] / stride[i]);
      return Math.max((outputs - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - size[i], 0);
    });
    const less = both((i) => Math.floor(total[i] / 2));
    const more = both((i) => total[i] - less[i]);
    const [before, after] = mode === "SAME_UPPER" ? [less, more] : [more, less];
    return { kernel, stride, dilation, before, after };
  }
  const [before, after] =
    mode === "VALID"
      ? ([
          [0, 0],
          [0, 0],
        ] as const)
      : padsOf(c, rank);
  return { kernel, stride, dilation, before, after };
}

/** The attribute `pads`: all beginnings, then all ends. */
export function padsOf(c: Call, rank: 1 | 2): readonly [Pair, Pair] {
  const pads = wholeList(c, "pads", c.list("pads") ?? Array<number>(2 * rank).fill(0), { count: 2 * rank });
  if (pads.some((n) => n > MAX_SIZE)) c.fail(`pads is [${pads}], at most ${MAX_SIZE} is supported`);
  const [p, q, r, s] = pads as [number, number, number, number];
  return rank === 1
    ? [
        [0, p],
        [0, q],
      ]
    : [
        [p, q],
        [r, s],
      ];
}

/** A pair by a function of 0 (height) and 1 (width). */
export function both(of: (i: 0 | 1) => number): Pair {
  return [of(0), of(1)];
}

export const samePair = (a: Pair, b: Pair) => a[0] === b[0] && a[1] === b[1];

/** Elements of a value around height and width. */
export function padImage(x: Value, before: Pair, after: Pair, value: number): Value {
  return pad(x, [0, 0, ...before], [0, 0, ...after], value);
}
