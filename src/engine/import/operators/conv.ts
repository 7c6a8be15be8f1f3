import type { Value } from "../../graph.ts";
import * as act from "../../ops/activation.ts";
import { conv2d, convTranspose2d } from "../../ops/conv.ts";
import { add } from "../../ops/elementwise.ts";
import { pad, reshape, slice } from "../../ops/movement.ts";
import { type Call, wholeList } from "../call.ts";
import type { Builder, Operators } from "./operator.ts";
import {
  asImage,
  both,
  fromImage,
  type Pair,
  padImage,
  padsOf,
  pairOf,
  samePair,
  spatialRank,
  windowOf,
} from "./window.ts";

/** Input, kernel and bias, with a single axis as the width of an image. */
function parts(c: Call) {
  const rank = spatialRank(c, c.value(0));
  const [x, weight] = [asImage(c.value(0)), asImage(c.value(1))];
  if (weight.shape.length !== 4) c.fail(`the kernel has shape [${c.held(1).shape}], ${rank + 2} axes are needed`);
  const kernel: Pair = [weight.shape[2]!, weight.shape[3]!];
  const size: Pair = [x.shape[2]!, x.shape[3]!];
  const groups = c.int("group", 1);
  if (!(groups >= 1) || x.shape[1]! % groups !== 0)
    c.fail(`${x.shape[1]} channels do not divide into ${groups} groups`);
  const bias = c.has(2) ? c.value(2) : undefined;
  return { rank, x, weight, bias, kernel, size, groups };
}

const conv: Builder = (c) => {
  const { rank, x, weight, bias, kernel, size, groups } = parts(c);
  const { stride, dilation, before, after } = windowOf(c, rank, kernel, size);
  const even = samePair(before, after);
  const from = even ? x : padImage(x, before, after, 0);
  const y = conv2d(from, weight, { stride, dilation, groups, padding: even ? before : 0 }, bias);
  return fromImage(y, rank);
};

/** The opset's padding of a transposed convolution: given, or what leaves the output size that is asked for. */
function transposedPads(c: Call, rank: 1 | 2, kernel: Pair, size: Pair) {
  const stride = pairOf(c, "strides", rank, 1);
  const dilation = pairOf(c, "dilations", rank, 1);
  const extra = pairOf(c, "output_padding", rank, 0, 0);
  const full = both((i) => (size[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 + extra[i]);
  const mode = c.text("auto_pad", "NOTSET");
  const same = mode === "SAME_UPPER" || mode === "SAME_LOWER";
  if (!same && !c.node.attributes.has("output_shape")) {
    const [before, after] =
      mode === "VALID"
        ? ([
            [0, 0],
            [0, 0],
          ] as const)
        : padsOf(c, rank);
    return { stride, dilation, extra, before, after };
  }
  const wanted = c.node.attributes.has("output_shape") ? outputShape(c, rank) : both((i) => size[i] * stride[i]);
  const total = both((i) => full[i] - wanted[i]);
  const half = both((i) => Math.floor(total[i] / 2));
  const rest = both((i) => total[i] - half[i]);
  const [before, after] = mode === "SAME_UPPER" ? [half, rest] : [rest, half];
  return { stride, dilation, extra, before, after };
}

/** Some exporters write batch and channels too. */
function outputShape(c: Call, rank: 1 | 2): Pair {
  const all = wholeList(c, "output_shape", c.list("output_shape")!, { least: 1 }).slice(-rank);
  return rank === 1 ? [1, all[0]!] : [all[0]!, all[1]!];
}

const convTranspose: Builder = (c) => {
  const { rank, x, weight, bias, kernel, size, groups } = parts(c);
  if (weight.shape[0] !== x.shape[1]) c.fail(`a kernel of [${weight.shape}] does not fit ${x.shape[1]} channels`);
  const { stride, dilation, extra, before, after } = transposedPads(c, rank, kernel, size);
  const window = { stride, dilation, groups };
  // The engine's form has one padding for both ends, no more than the kernel reaches, and less added than a stride.
  const even = samePair(before, after) && before.every((p) => p >= 0);
  if (even && extra.every((e, i) => e < stride[i]!)) {
    return fromImage(convTranspose2d(x, weight, { ...window, padding: before, outputPadding: extra }, bias), rank);
  }
  const full = convTranspose2d(x, weight, window);
  const lengthened = pad(
    full,
    [0, 0, ...before.map((p) => Math.max(-p, 0))],
    [0, 0, ...after.map((p, i) => Math.max(extra[i]! - p, 0))],
  );
  const starts = [0, 0, ...before.map((p) => Math.max(p, 0))];
  const ends = lengthened.shape.map((n, i) => (i < 2 ? n : n - Math.max(after[i - 2]! - extra[i - 2]!, 0)));
  const cut = slice(lengthened, starts, ends);
  return fromImage(bias === undefined ? cut : add(cut, reshape(bias, [1, bias.shape[0]!, 1, 1])), rank);
};

const ACTIVATIONS: Readonly<Record<string, (x: Value, c: Call) => Value>> = {
  Relu: (x) => act.relu(x),
  Sigmoid: (x) => act.sigmoid(x),
  Tanh: (x) => act.tanh(x),
  LeakyRelu: (x, c) => act.leakyRelu(x, c.list("activation_params")?.[0] ?? 0.01),
};

/** ONNX Runtime's own operator, in files that it has optimised. */
const fusedConv: Builder = (c) => {
  const name = c.text("activation", "");
  const activation = Object.hasOwn(ACTIVATIONS, name)
    ? ACTIVATIONS[name]!
    : c.fail(`the activation ${name} is not supported`);
  const y = conv(c) as Value;
  return activation(c.has(3) ? add(y, c.value(3)) : y, c);
};

/** Convolutions. */
export const convolution: Operators = {
  Conv: conv,
  ConvTranspose: convTranspose,
  "com.microsoft.FusedConv": fusedConv,
};
