import { constant, constantTensor, defineOp, type Value } from "../graph.ts";
import type { Shape } from "../shape.ts";
import { asFloat, filled, tensor } from "../tensor.ts";
import { type ConvWindow, conv2d } from "./conv.ts";
import { add, div, maximum, mul, sqrt, square, stopGradient, sub } from "./elementwise.ts";
import { matmul } from "./linear.ts";
import { reshape, transpose } from "./movement.ts";
import { mean, norm2, sum } from "./reduce.ts";

const channelAxes = (x: Value) => x.shape.map((_, i) => i).filter((i) => i !== 1);
const alongChannels = (v: Value, rank: number): Value =>
  reshape(v, [1, v.shape[0]!, ...Array<number>(rank - 2).fill(1)]);

const affineOp = defineOp("ChannelAffine", {
  shape: ([x, a, b], _, fail) => {
    const channels = x!.shape[1];
    return a!.shape[0] === channels && b!.shape[0] === channels
      ? x!.shape
      : fail("scale and shift need one number a channel");
  },
  grad: (g, y) => {
    const [x, a] = y.inputs as [Value, Value];
    return [channelScale(g, a), sum(mul(g, x), channelAxes(x)), sum(g, channelAxes(x))];
  },
  lower: (l, [x, a, b], y) => {
    const [zeros, ones] = [0, 1].map((n) => l.constant(filled([y.shape[1]!], n), `fill${n}`));
    return l.node("BatchNormalization", [x!, a!, b!, zeros!, ones!], { epsilon: 0 });
  },
});

const channelScale = (x: Value, a: Value) => mul(x, alongChannels(a, x.shape.length));

/**
 * a·x + b with one a and b a channel (axis 1), in one pass. Behind a convolution with a fixed kernel, fixed a and b are folded
 * into the kernel: then the backward pass has no trace of them either.
 */
export function channelAffine(x: Value, a: Value, b: Value): Value {
  const [kernel, scale] = [x.op === "Conv" ? constantTensor(x.inputs[1]!) : undefined, constantTensor(a)];
  if (kernel === undefined || scale === undefined || constantTensor(b) === undefined) return affineOp([x, a, b], {});
  const perOutput = kernel.data.length / kernel.shape[0]!;
  const folded = asFloat(kernel).data.map((w, i) => w * scale.data[Math.floor(i / perOutput)]!);
  const weight = constant(tensor(folded, kernel.shape), x.inputs[1]!.leaf!.name);
  return conv2d(x.inputs[0]!, weight, x.attributes as unknown as ConvWindow, b);
}

/** Batch norm's learned scale and shift, and the number that keeps the root away from zero. */
export interface NormWeights {
  readonly weight: Value;
  readonly bias: Value;
  readonly epsilon?: number;
}

/** Batch norm with fixed statistics: (x − mean) / √(variance + ε) · weight + bias, a channel; x [N, C, …] */
export function batchNormEval(
  x: Value,
  { weight, bias, epsilon = 1e-5 }: NormWeights,
  runningMean: Value,
  runningVar: Value,
): Value {
  const fixed = [weight, bias, runningMean, runningVar].map(constantTensor);
  if (fixed.every((t) => t !== undefined)) {
    const [w, s, m, v] = fixed.map((t) => t.data) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const scale = w.map((n, i) => n / Math.sqrt(v[i]! + epsilon));
    const shift = s.map((n, i) => n - m[i]! * scale[i]!);
    const named = (data: Float32Array, part: string) => constant(tensor(data, [data.length]), `${weight.path}.${part}`);
    return channelAffine(x, named(scale, "scale"), named(shift, "shift"));
  }
  const scale = div(weight, sqrt(add(runningVar, epsilon)));
  return channelAffine(x, scale, sub(bias, mul(runningMean, scale)));
}

const batchNormOp = defineOp<{ epsilon: number }>("BatchNorm", {
  shape: ([x]) => x!.shape,
  // The statistics' own dependence on x is in this rule, so nothing flows back through them:
  // dx = a·(g − (Σg + x̂·Σ(g·x̂)) / M) with a = weight / √(variance + ε), gathered to a·g + b·(x − mean) + c.
  grad: (g, y, { epsilon }) => {
    const [x, weight, , , variance, centred] = y.inputs as [Value, Value, Value, Value, Value, Value];
    const count = x.shape.reduce((n, size) => n * size, 1) / x.shape[1]!;
    const inverse = div(1, sqrt(add(variance, epsilon)));
    const total = sum(g, channelAxes(x));
    const slope = mul(sum(mul(g, centred), channelAxes(x)), inverse);
    const a = mul(weight, inverse);
    const b = mul(mul(mul(a, inverse), slope), -1 / count);
    const c = mul(mul(a, total), -1 / count);
    return [add(channelScale(g, a), affineOp([centred, b, c], {})), slope, total, null, null, null];
  },
  lower: (l, inputs, _y, { epsilon }) => l.node("BatchNormalization", inputs.slice(0, 5), { epsilon }),
});

/** Batch norm with the batch's own statistics (Ioffe & Szegedy 2015), which are handed on for the running ones; x [N, C, …] */
export function batchNormTrain(
  x: Value,
  { weight, bias, epsilon = 1e-5 }: NormWeights,
): { y: Value; mean: Value; variance: Value } {
  const axes = channelAxes(x);
  const centre = mean(x, axes);
  const centred = sub(x, alongChannels(centre, x.shape.length));
  const variance = mean(square(centred), axes);
  return { y: batchNormOp([x, weight, bias, centre, variance, centred], { epsilon }), mean: centre, variance };
}

/** (x − mean) / √(variance + ε) over the axes, with the biased variance */
export function standardize(x: Value, axes: readonly number[], epsilon: number): Value {
  const centred = sub(x, mean(x, axes, true));
  return div(centred, sqrt(add(mean(square(centred), axes, true), epsilon)));
}

/** Group norm (Wu & He 2018): each image's channels in `groups` groups, each standardised; weight and bias [C] */
export function groupNorm(x: Value, groups: number, { weight, bias, epsilon = 1e-5 }: NormWeights): Value {
  const [n, c] = x.shape as [number, number];
  const grouped: Shape = [n, groups, x.shape.slice(1).reduce((a, b) => a * b, 1) / groups];
  if (c % groups !== 0) throw new RangeError(`${c} channels do not divide into ${groups} groups`);
  return channelAffine(reshape(standardize(reshape(x, grouped), [2], epsilon), x.shape), weight, bias);
}

/** Instance norm with learned scale and shift (PyTorch's `affine=True`): each channel of each image standardised; x [N, C, …] */
export function instanceNorm(x: Value, norm: NormWeights): Value {
  return groupNorm(x, x.shape[1]!, norm);
}

/** Layer norm (Ba et al. 2016) over the last axis; weight and bias have its length */
export function layerNorm(x: Value, { weight, bias, epsilon = 1e-5 }: NormWeights): Value {
  return add(mul(standardize(x, [-1], epsilon), weight), bias);
}

/** Lengths below this are taken for it, so that a weight of zeros stays one. */
const LEAST = 1e-12;
const unit = (x: Value) => div(x, maximum(norm2(x, [0, 1]), LEAST));

/** One step of power iteration: weight [out, in] and u [out, 1] to v = Wᵀu/‖Wᵀu‖ [in, 1] and the next u = Wv/‖Wv‖; no gradient */
export function powerIteration(weight: Value, u: Value): { u: Value; v: Value } {
  const w = stopGradient(weight);
  const v = unit(matmul(transpose(w), u));
  return { u: unit(matmul(w, v)), v };
}

/** W / σ with σ = uᵀWv, the largest singular value once u [out, 1] and v [in, 1] are its vectors; W [out, in] (Miyato et al. 2018) */
export function spectralNorm(weight: Value, u: Value, v: Value): Value {
  return div(weight, maximum(matmul(transpose(u), matmul(weight, v)), LEAST));
}
