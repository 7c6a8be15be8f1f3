import type { Value } from "../graph.ts";
import { sizeOf } from "../shape.ts";
import { type FloatTensor, filled } from "../tensor.ts";
import {
  type BlockedLowering,
  type BlockedResult,
  type BlockedRule,
  dividesIntoBlocks,
  type OpenConv,
} from "./layout.ts";

// One number a channel is applied by a depthwise convolution of one place: in one pass, on all threads.

function depthwise(l: BlockedLowering, x: Value, scale: string, bias: string | undefined, path: string): BlockedResult {
  const channels = x.shape[1]!;
  const attributes = { kernel_shape: [1, 1], group: channels };
  const weight = l.node("Reshape", [scale, l.int64s([channels, 1, 1, 1])]);
  return { open: { input: l.blocked(x), weight, attributes, ...(bias !== undefined && { bias }), path } };
}

/** a·x + b */
export const affineRule: BlockedRule = (l, y) => {
  const [x, a, b] = y.inputs as [Value, Value, Value];
  if (!l.isBlocked(x)) return undefined;
  return depthwise(l, x, l.plain(a), l.plain(b), y.path);
};

/** Batch norm by given statistics, from what is left of x without its mean: more exact than from x, which then need not be kept. */
export const batchNormRule: BlockedRule = (l, y) => {
  const [, weight, bias, , variance, centred] = y.inputs as [Value, Value, Value, Value, Value, Value];
  if (!l.isBlocked(centred)) return undefined;
  const { epsilon } = y.attributes as { epsilon: number };
  const deviation = l.node("Sqrt", [l.node("Add", [l.plain(variance), l.float(epsilon)])]);
  return depthwise(l, centred, l.node("Div", [l.plain(weight), deviation]), l.plain(bias), y.path);
};

/** Whether `v` has one number a channel of `y`. */
function isPerChannel(v: Value, y: Value): boolean {
  const channels = y.shape[1]!;
  return sizeOf(v.shape) === channels && v.shape.at(-3) === channels && (v.shape.length === 3 || v.shape[0] === 1);
}

const isFull = (v: Value, y: Value) => v.shape.length === 4 && v.shape.every((n, i) => n === y.shape[i]);
const isSingle = (v: Value) => sizeOf(v.shape) === 1;

/** An op that treats each element by itself: it does not mind where elements lie, as long as all operands agree. */
export const elementwiseRule: BlockedRule = (l, y) => {
  if (!dividesIntoBlocks(y, l.block)) return undefined;
  const full = y.inputs.filter((v) => isFull(v, y));
  if (!full.some((v) => l.isBlocked(v)) || !y.inputs.every((v) => isFull(v, y) || isSingle(v))) return undefined;
  return {
    blocked: y.lower!(
      l,
      y.inputs.map((v) => (isFull(v, y) ? l.blocked(v) : l.plain(v))),
    ),
  };
};

/** max(x, 0), as part of the convolution that it follows. */
export const reluRule: BlockedRule = (l, y) => {
  const x = y.inputs[0]!;
  if (!l.isBlocked(x)) return undefined;
  const open = l.takeOpen(x);
  return open ? { open: { ...open, relu: true } } : elementwiseRule(l, y);
};

/** The operand that has an element for each of `y`'s, and the one with a number a channel; undefined where they are not such. */
function byChannel(y: Value): { x: Value; c: Value } | undefined {
  const [a, b] = y.inputs as [Value, Value];
  if (isFull(a, y) && isPerChannel(b, y)) return { x: a, c: b };
  return isFull(b, y) && isPerChannel(a, y) ? { x: b, c: a } : undefined;
}

const flat = (l: BlockedLowering, c: Value) => l.node("Reshape", [l.plain(c), l.int64s([sizeOf(c.shape)])]);
/** One tensor a count, so that a graph stores it once. */
const onesByCount = new Map<number, FloatTensor>();

function ones(l: BlockedLowering, channels: number): string {
  const found = onesByCount.get(channels) ?? filled([channels], 1);
  onesByCount.set(channels, found);
  return l.constant(found, `ones${channels}`);
}

export const mulRule: BlockedRule = (l, y) => {
  const channel = byChannel(y);
  if (channel === undefined || !l.isBlocked(channel.x)) return elementwiseRule(l, y);
  return depthwise(l, channel.x, flat(l, channel.c), undefined, y.path);
};

/** A convolution that can still take a bias. */
const open = (l: BlockedLowering, v: Value): OpenConv | undefined => {
  const found = l.peekOpen(v);
  return found?.relu === true ? undefined : found;
};

/** a + b: a bias or a second summand of the convolution that is one of them, where that may still take it. */
export const addRule: BlockedRule = (l, y) => {
  const channel = byChannel(y);
  if (channel !== undefined && l.isBlocked(channel.x)) {
    const conv = open(l, channel.x);
    if (conv === undefined || conv.bias !== undefined) {
      return depthwise(l, channel.x, ones(l, y.shape[1]!), flat(l, channel.c), y.path);
    }
    return { open: { ...l.takeOpen(channel.x)!, bias: flat(l, channel.c) } };
  }
  const [a, b] = y.inputs as [Value, Value];
  if (a !== b && isFull(a, y) && isFull(b, y)) {
    // The later of two convolutions takes the earlier one's result.
    for (const [conv, other] of [
      [b, a],
      [a, b],
    ] as const) {
      const found = open(l, conv);
      if (found === undefined || found.sum !== undefined) continue;
      const sum = l.blocked(other);
      return { open: { ...l.takeOpen(conv)!, sum } };
    }
  }
  return elementwiseRule(l, y);
};

/** a − b */
export const subRule: BlockedRule = (l, y) => {
  const [x, c] = y.inputs as [Value, Value];
  if (!(isFull(x, y) && isPerChannel(c, y) && l.isBlocked(x))) return elementwiseRule(l, y);
  return depthwise(l, x, ones(l, y.shape[1]!), l.node("Neg", [flat(l, c)]), y.path);
};
