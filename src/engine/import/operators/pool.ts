import { constant, type Value } from "../../graph.ts";
import { conv2d } from "../../ops/conv.ts";
import { abs, mul, pow } from "../../ops/elementwise.ts";
import { slice } from "../../ops/movement.ts";
import { avgPool2d, maxPool2d } from "../../ops/pool.ts";
import { max, mean, sum } from "../../ops/reduce.ts";
import { windowMaxPool } from "../../ops/window-pool.ts";
import { tensor } from "../../tensor.ts";
import type { Call } from "../call.ts";
import type { Builder, Operators } from "./operator.ts";
import {
  asImage,
  both,
  fromImage,
  type Pair,
  padImage,
  pairOf,
  samePair,
  spatialRank,
  type Window,
  windowOf,
} from "./window.ts";

/** The places of a window of a few hundred pixels are each an operation of the gradient. */
const MAX_WINDOW = 1024;

/** A pooling node's input as an image, its window, and how many windows there are. */
function pooled(c: Call): { rank: 1 | 2; x: Value; window: Window; outputs: Pair } {
  const rank = spatialRank(c, c.value(0));
  const x = asImage(c.value(0));
  if (c.list("kernel_shape") === undefined) c.fail("attribute kernel_shape is missing");
  const kernel = pairOf(c, "kernel_shape", rank, 1);
  if (kernel[0] * kernel[1] > MAX_WINDOW)
    c.fail(`a window of ${kernel.join("×")} is larger than the supported ${MAX_WINDOW} pixels`);
  const size: Pair = [x.shape[2]!, x.shape[3]!];
  const window = windowOf(c, rank, kernel, size);
  const up = c.int("ceil_mode", 0) === 1;
  const outputs = both((i) => {
    const reach = size[i] + window.before[i] + window.after[i] - window.dilation[i] * (kernel[i] - 1) - 1;
    const steps = up ? Math.ceil(reach / window.stride[i]) : Math.floor(reach / window.stride[i]);
    // A last window must not start behind the image and the padding before it.
    return up && steps * window.stride[i] >= size[i] + window.before[i] ? steps : steps + 1;
  });
  if (outputs.some((n) => n < 1)) c.fail(`a window of ${kernel.join("×")} does not fit an image of ${size.join("×")}`);
  return { rank, x, window, outputs };
}

/** The image with its padding, exactly as far as the last window reaches. */
function covered(x: Value, { kernel, stride, dilation, before }: Window, outputs: Pair, value: number): Value {
  const reach = both((i) => (outputs[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1);
  const after = both((i) => Math.max(reach[i] - before[i] - x.shape[2 + i]!, 0));
  const padded = padImage(x, before, after, value);
  return slice(
    padded,
    [0, 0, 0, 0],
    padded.shape.map((n, i) => (i < 2 ? n : reach[i - 2]!)),
  );
}

/** The square window with the same padding on all sides that the engine's own pools have. */
function square({ kernel, stride, dilation, before, after }: Window, x: Value, outputs: Pair) {
  const plain =
    kernel[0] === kernel[1] &&
    stride[0] === stride[1] &&
    samePair(dilation, [1, 1]) &&
    before[0] === before[1] &&
    samePair(before, after) &&
    2 * before[0] <= kernel[0] &&
    outputs.every((n, i) => n === Math.floor((x.shape[2 + i]! + 2 * before[0] - kernel[0]) / stride[0]) + 1);
  return plain ? { kernel: kernel[0], stride: stride[0], padding: before[0] } : undefined;
}

/** Stands in for minus infinity in padding, which a later gradient's Pad could not carry. */
const LOWEST = -3.4e38;

const maxPool: Builder = (c) => {
  const { rank, x, window, outputs } = pooled(c);
  const own = square(window, x, outputs);
  return [
    fromImage(own ? maxPool2d(x, own) : windowMaxPool(covered(x, window, outputs, LOWEST), window), rank),
    undefined,
  ];
};

/** How many elements of each window along one axis count: those of the image, and those of its padding where that is included. */
function counted(
  { kernel, stride, dilation, before, after }: Window,
  i: 0 | 1,
  size: number,
  outputs: number,
  included: boolean,
): number[] {
  const [from, to] = included ? [-before[i], size + after[i]] : [0, size];
  return Array.from({ length: outputs }, (_, o) => {
    const places = Array.from({ length: kernel[i] }, (_, k) => o * stride[i] - before[i] + k * dilation[i]);
    return places.filter((p) => p >= from && p < to).length;
  });
}

/** Σ over each window, by a convolution with ones that leaves channels apart. */
function windowSum(x: Value, { kernel, stride, dilation }: Window, factor = 1): Value {
  const channels = x.shape[1]!;
  const ones = new Float32Array(channels * kernel[0] * kernel[1]).fill(factor);
  return conv2d(x, constant(tensor(ones, [channels, 1, ...kernel]), "window"), { stride, dilation, groups: channels });
}

const averagePool: Builder = (c) => {
  const { rank, x, window, outputs } = pooled(c);
  const included = c.int("count_include_pad", 0) === 1;
  const counts = both01((i) => counted(window, i, x.shape[2 + i]!, outputs[i], included));
  const area = window.kernel[0] * window.kernel[1];
  const whole = counts.every((list, i) => list.every((n) => n === window.kernel[i]));
  const own = square(window, x, outputs);
  if (own !== undefined && whole) return fromImage(avgPool2d(x, own), rank);
  const sums = windowSum(covered(x, window, outputs, 0), window, whole ? 1 / area : 1);
  if (whole) return fromImage(sums, rank);
  const shares = counts[0].flatMap((n) => counts[1].map((m) => 1 / Math.max(n * m, 1)));
  return fromImage(mul(sums, constant(tensor(shares, [1, 1, ...outputs]), "shares")), rank);
};

const both01 = <T>(of: (i: 0 | 1) => T): [T, T] => [of(0), of(1)];

/** The p-norm of each window. */
const lpPool: Builder = (c) => {
  const { rank, x, window, outputs } = pooled(c);
  const p = c.int("p", 2);
  return fromImage(pow(windowSum(covered(pow(abs(x), p), window, outputs, 0), window), 1 / p), rank);
};

const everywhere =
  (f: (x: Value, axes: readonly number[]) => Value): Builder =>
  (c) => {
    const x = c.value(0);
    return f(x, x.shape.map((_, i) => i).slice(2));
  };

/** Pools. */
export const pooling: Operators = {
  AveragePool: averagePool,
  GlobalAveragePool: everywhere((x, axes) => mean(x, axes, true)),
  GlobalLpPool: (c) => {
    const p = c.int("p", 2);
    return everywhere((x, axes) => pow(sum(pow(abs(x), p), axes, true), 1 / p))(c);
  },
  GlobalMaxPool: everywhere((x, axes) => max(x, axes, true)),
  LpPool: lpPool,
  MaxPool: maxPool,
};
