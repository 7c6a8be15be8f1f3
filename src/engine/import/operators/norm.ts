import type { Value } from "../../graph.ts";
import { abs, add, div, mul, pow, sqrt, square, sub } from "../../ops/elementwise.ts";
import { pad, reshape, slice } from "../../ops/movement.ts";
import { batchNormEval, batchNormTrain, groupNorm, instanceNorm, standardize } from "../../ops/norm.ts";
import { mean, norm2, sum } from "../../ops/reduce.ts";
import { sizeOf } from "../../shape.ts";
import { type Call, withAxis } from "../call.ts";
import type { Builder, Operators } from "./operator.ts";

/** [C] as [1, C, 1, …] */
const alongChannels = (v: Value, rank: number) => reshape(v, [1, v.shape[0]!, ...Array<number>(rank - 2).fill(1)]);

/** Weights of one number a channel. */
function channelWeights(c: Call, x: Value, ...inputs: number[]): Value[] {
  if (x.shape.length < 2) c.fail(`an input of shape [${x.shape}] has no channels`);
  return inputs.map((i) => {
    const w = c.value(i);
    return w.shape.length === 1 && w.shape[0] === x.shape[1]
      ? w
      : c.fail(`input ${i + 1} has shape [${w.shape}], one number for each of ${x.shape[1]} channels is needed`);
  });
}

/**
 * Ioffe & Szegedy 2015. In evaluation mode with the file's statistics; while the graph trains, with those of the batch, and the
 * running ones follow it by the node's `momentum` (PyTorch's is one minus ONNX's), with the unbiased variance.
 */
const batchNorm: Builder = (c) => {
  const x = c.value(0);
  const [weight, bias] = channelWeights(c, x, 1, 2) as [Value, Value];
  const [runningMean, runningVar] = [c.buffer(3), c.buffer(4)];
  const norm = { weight, bias, epsilon: c.float("epsilon", 1e-5) };
  const momentum = c.float("momentum", 0.9);
  const follow = (old: Value, next: Value) => add(mul(old, momentum), mul(next, 1 - momentum));
  if (c.int("training_mode", 0) === 1) {
    const { y, mean: centre, variance } = batchNormTrain(x, norm);
    return [y, follow(runningMean.value, centre), follow(runningVar.value, variance)];
  }
  const { scope } = c;
  if (!scope.training || runningMean.name === undefined || runningVar.name === undefined) {
    return [batchNormEval(x, norm, runningMean.value, runningVar.value)];
  }
  const { y, mean: centre, variance } = batchNormTrain(x, norm);
  const count = sizeOf(x.shape) / x.shape[1]!;
  scope.update(runningMean.name, follow(runningMean.value, centre));
  scope.update(runningVar.name, follow(runningVar.value, mul(variance, count / Math.max(count - 1, 1))));
  return [y];
};

/** Standardised over the axes from the given one on, then scaled and shifted element by element; with what it was standardised by. */
const layerNorm: Builder = (c) => {
  const x = c.value(0);
  const axes = x.shape.map((_, i) => i).slice(c.axis(c.int("axis", -1), x.shape.length));
  const centre = mean(x, axes, true);
  const centred = sub(x, centre);
  const inverse = div(1, sqrt(add(mean(square(centred), axes, true), c.float("epsilon", 1e-5))));
  const y = mul(mul(centred, inverse), c.value(1));
  return [c.has(2) ? add(y, c.value(2)) : y, centre, inverse];
};

/** Zhang & Sennrich 2019: divided by the root of the mean square. */
const rmsNorm: Builder = (c) => {
  const x = c.value(0);
  const axes = x.shape.map((_, i) => i).slice(c.axis(c.int("axis", -1), x.shape.length));
  const root = sqrt(add(mean(square(x), axes, true), c.float("epsilon", 1e-5)));
  return mul(div(x, root), c.value(1));
};

/** Wu & He 2018. Scale and bias are one a group in opset 18, one a channel from 21 on. */
const groupNormalization: Builder = (c) => {
  const x = c.value(0);
  const groups = c.int("num_groups");
  const channels = x.shape[1] ?? c.fail(`an input of shape [${x.shape}] has no channels`);
  if (!(groups >= 1) || channels % groups !== 0) c.fail(`${channels} channels do not divide into ${groups} groups`);
  const epsilon = c.float("epsilon", 1e-5);
  if (c.opset >= 21) {
    const [weight, bias] = channelWeights(c, x, 1, 2) as [Value, Value];
    return groupNorm(x, groups, { weight, bias, epsilon });
  }
  const grouped = reshape(x, [x.shape[0]!, groups, sizeOf(x.shape.slice(1)) / groups]);
  const y = add(mul(standardize(grouped, [2], epsilon), alongChannels(c.value(1), 3)), alongChannels(c.value(2), 3));
  return reshape(y, x.shape);
};

const instanceNormalization: Builder = (c) => {
  const x = c.value(0);
  const [weight, bias] = channelWeights(c, x, 1, 2) as [Value, Value];
  return instanceNorm(x, { weight, bias, epsilon: c.float("epsilon", 1e-5) });
};

/** Krizhevsky et al. 2012, section 3.3: divided by a power of the sum of squares over neighbouring channels. */
const localResponse: Builder = (c) => {
  const x = c.value(0);
  const [size, channels] = [c.int("size"), x.shape[1] ?? 0];
  if (!(size >= 1 && size <= 256)) c.fail(`size is ${size}, 1 to 256 is needed`);
  const before = Math.floor((size - 1) / 2);
  const none = x.shape.map(() => 0);
  const squares = pad(square(x), withAxis(none, 1, before), withAxis(none, 1, size - 1 - before));
  const sums = Array.from({ length: size }, (_, i) =>
    slice(squares, withAxis(none, 1, i), withAxis(squares.shape, 1, i + channels)),
  ).reduce((a, b) => add(a, b));
  const scale = add(c.float("bias", 1), mul(sums, c.float("alpha", 1e-4) / size));
  return div(x, pow(scale, c.float("beta", 0.75)));
};

const lpNormalization: Builder = (c) => {
  const x = c.value(0);
  const axis = c.axis(c.int("axis", -1), x.shape.length);
  const size = c.int("p", 2) === 1 ? sum(abs(x), [axis], true) : norm2(x, [axis]);
  return div(x, reshape(size, withAxis(x.shape, axis, 1)));
};

const meanVariance: Builder = (c) => {
  const x = c.value(0);
  const axes = (c.list("axes") ?? [0, 2, 3]).map((a) => c.axis(a, x.shape.length));
  const centred = sub(x, mean(x, axes, true));
  return div(centred, add(sqrt(mean(square(centred), axes, true)), 1e-9));
};

/** Normalisations. */
export const normalization: Operators = {
  BatchNormalization: batchNorm,
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNorm,
  LpNormalization: lpNormalization,
  LRN: localResponse,
  MeanVarianceNormalization: meanVariance,
  RMSNormalization: rmsNorm,
};
