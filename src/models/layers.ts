import { constant, type Value } from "../engine/graph.ts";
import {
  gelu as geluOp,
  leakyRelu as leakyReluOp,
  prelu as preluOp,
  relu as reluOp,
  sigmoid as sigmoidOp,
  silu as siluOp,
  tanh as tanhOp,
} from "../engine/ops/activation.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { type ConvOptions, conv2d, convTranspose2d } from "../engine/ops/conv.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { linear as linearOp, matmul } from "../engine/ops/linear.ts";
import { concat, flatten as flattenOp, reshape as reshapeOp } from "../engine/ops/movement.ts";
import {
  batchNormEval,
  batchNormTrain,
  instanceNorm as instanceNormOp,
  layerNorm as layerNormOp,
  type NormWeights,
} from "../engine/ops/norm.ts";
import { avgPool2d, globalAvgPool, maxPool2d, type PoolOptions } from "../engine/ops/pool.ts";
import type { Shape } from "../engine/shape.ts";
import { filled } from "../engine/tensor.ts";
import { constantInitial, heInitial, uniformBias, uniformFanIn } from "./initial.ts";
import type { Initializer, Layer, LayerContext, WeightSpec } from "./layer.ts";

const weight = (name: string, shape: Shape, initial: Initializer): WeightSpec => ({
  name,
  shape,
  kind: "weight",
  initial,
});
const buffer = (name: string, shape: Shape, value: number): WeightSpec => ({
  name,
  shape,
  kind: "buffer",
  initial: constantInitial(value),
});

/** A layer without weights. */
export function operation(apply: (x: Value, context: LayerContext) => Value): Layer {
  return { weights: [], apply };
}

export const relu: Layer = operation(reluOp);
export const sigmoid: Layer = operation(sigmoidOp);
export const tanh: Layer = operation(tanhOp);
export const silu: Layer = operation(siluOp);
export const gelu: Layer = operation(geluOp);
/** min(max(x, 0), 6) */
export const relu6: Layer = operation((x) => clamp(x, 0, 6));
export const leakyRelu = (slope: number): Layer => operation((x) => leakyReluOp(x, slope));
export const flatten: Layer = operation(flattenOp);
export const maxPool = (options: PoolOptions): Layer => operation((x) => maxPool2d(x, options));
export const avgPool = (options: PoolOptions): Layer => operation((x) => avgPool2d(x, options));
export const globalPool: Layer = operation(globalAvgPool);
/** [N, …] → [N, …shape] */
export const reshape = (shape: Shape): Layer => operation((x) => reshapeOp(x, [x.shape[0]!, ...shape]));

/** Layers one after the other. */
export function sequential(...layers: readonly Layer[]): Layer {
  return {
    weights: layers.flatMap((l) => l.weights),
    apply: (x, context) => layers.reduce((y, l) => l.apply(y, context), x),
  };
}

/** Layers side by side, their results joined along the channels. */
export function branches(...layers: readonly Layer[]): Layer {
  return {
    weights: layers.flatMap((l) => l.weights),
    apply: (x, context) =>
      concat(
        layers.map((l) => l.apply(x, context)),
        1,
      ),
  };
}

/** What a layer gives, added to its input, which goes through a shortcut where there is one. */
export function residual(main: Layer, shortcut?: Layer): Layer {
  return {
    weights: [...main.weights, ...(shortcut?.weights ?? [])],
    apply: (x, context) => add(main.apply(x, context), shortcut?.apply(x, context) ?? x),
  };
}

/** A named tensor that training changes, for layers that are more than one operation. */
export function learned(name: string, shape: Shape, initial: Initializer): WeightSpec {
  return weight(name, shape, initial);
}

/** Options of a convolution layer; a bias is there unless switched off, as in PyTorch. */
export interface ConvLayerOptions extends ConvOptions {
  readonly bias?: boolean;
  readonly initial?: Initializer;
  /** First numbers of the bias: PyTorch's default, uniform in ±1/√fan-in, where it is left out. */
  readonly biasInitial?: Initializer;
}

/** PyTorch's Conv2d, named `path.weight` and `path.bias`; a kernel's pair is [height, width]. */
export function conv(
  path: string,
  from: number,
  to: number,
  kernel: number | readonly [number, number],
  options: ConvLayerOptions = {},
): Layer {
  const [rows, columns] = typeof kernel === "number" ? [kernel, kernel] : kernel;
  const fanIn = (from / (options.groups ?? 1)) * rows * columns;
  const { bias = true, initial = heInitial, biasInitial = uniformBias(fanIn), ...window } = options;
  const shape = [to, from / (window.groups ?? 1), rows, columns];
  return {
    weights: [weight(`${path}.weight`, shape, initial), ...(bias ? [weight(`${path}.bias`, [to], biasInitial)] : [])],
    apply: (x, c) => conv2d(x, c.weight(`${path}.weight`), window, bias ? c.weight(`${path}.bias`) : undefined),
  };
}

/** PyTorch's ConvTranspose2d with a square kernel. */
export function convTranspose(
  path: string,
  from: number,
  to: number,
  kernel: number,
  options: ConvLayerOptions & { readonly outputPadding?: number } = {},
): Layer {
  const fanIn = (to / (options.groups ?? 1)) * kernel * kernel;
  const { bias = true, initial = uniformFanIn, biasInitial = uniformBias(fanIn), ...window } = options;
  const shape = [from, to / (window.groups ?? 1), kernel, kernel];
  return {
    weights: [weight(`${path}.weight`, shape, initial), ...(bias ? [weight(`${path}.bias`, [to], biasInitial)] : [])],
    apply: (x, c) =>
      convTranspose2d(x, c.weight(`${path}.weight`), window, bias ? c.weight(`${path}.bias`) : undefined),
  };
}

/** PyTorch's Linear. */
export function linear(
  path: string,
  from: number,
  to: number,
  {
    bias = true,
    initial = uniformFanIn,
    biasInitial = uniformBias(from),
  }: { bias?: boolean; initial?: Initializer; biasInitial?: Initializer } = {},
): Layer {
  return {
    weights: [
      weight(`${path}.weight`, [to, from], initial),
      ...(bias ? [weight(`${path}.bias`, [to], biasInitial)] : []),
    ],
    apply: (x, c) => linearOp(x, c.weight(`${path}.weight`), bias ? c.weight(`${path}.bias`) : undefined),
  };
}

const runningStatistics = (path: string, channels: number): WeightSpec[] => [
  buffer(`${path}.running_mean`, [channels], 0),
  buffer(`${path}.running_var`, [channels], 1),
];

/** Batch norm by the batch's statistics, which the running ones follow, or by the running ones. */
function normalizeBatch(path: string, channels: number, x: Value, c: LayerContext, norm: NormWeights): Value {
  const momentum = 0.1;
  const [runningMean, runningVar] = [c.weight(`${path}.running_mean`), c.weight(`${path}.running_var`)];
  if (!c.training) return batchNormEval(x, norm, runningMean, runningVar);
  const { y, mean, variance } = batchNormTrain(x, norm);
  const count = x.shape.reduce((n, a) => n * a, 1) / channels;
  const follow = (old: Value, next: Value) => add(mul(old, 1 - momentum), mul(next, momentum));
  c.update(`${path}.running_mean`, follow(runningMean, mean));
  c.update(`${path}.running_var`, follow(runningVar, mul(variance, count / Math.max(count - 1, 1))));
  return y;
}

/** PyTorch's BatchNorm1d/2d: ε 1e-5 unless given, momentum 0.1, running variance unbiased. */
export function batchNorm(path: string, channels: number, epsilon = 1e-5): Layer {
  return {
    weights: [
      weight(`${path}.weight`, [channels], constantInitial(1)),
      weight(`${path}.bias`, [channels], constantInitial(0)),
      ...runningStatistics(path, channels),
    ],
    apply: (x, c) =>
      normalizeBatch(path, channels, x, c, {
        weight: c.weight(`${path}.weight`),
        bias: c.weight(`${path}.bias`),
        epsilon,
      }),
  };
}

/** Batch norm of [N, C] or [N, C, H, W] with a scale and a shift for each class, [classes, C] (Dumoulin et al. 2017). The network is conditioned on classes. */
export function conditionalBatchNorm(path: string, channels: number, classes: number): Layer {
  const fill = (n: number) => constant(filled([channels], n), `${path}.fill${n}`);
  return {
    weights: [
      weight(`${path}.weights.weight`, [classes, channels], constantInitial(1)),
      weight(`${path}.biases.weight`, [classes, channels], constantInitial(0)),
      ...runningStatistics(path, channels),
    ],
    apply(x, c) {
      const standard = normalizeBatch(path, channels, x, c, { weight: fill(1), bias: fill(0) });
      const ofClass = (name: string) => {
        const rows = matmul(conditionOf(c, path), c.weight(`${path}.${name}.weight`));
        return reshapeOp(rows, [x.shape[0]!, channels, ...x.shape.slice(2).map(() => 1)]);
      };
      return add(mul(standard, ofClass("weights")), ofClass("biases"));
    },
  };
}

/** PyTorch's LayerNorm over the last axis. */
export function layerNorm(path: string, width: number, epsilon = 1e-5): Layer {
  return {
    weights: [
      weight(`${path}.weight`, [width], constantInitial(1)),
      weight(`${path}.bias`, [width], constantInitial(0)),
    ],
    apply: (x, c) => layerNormOp(x, { weight: c.weight(`${path}.weight`), bias: c.weight(`${path}.bias`), epsilon }),
  };
}

/** PyTorch's PReLU with one slope a channel, 0.25 at first. */
export function prelu(path: string, channels: number): Layer {
  return {
    weights: [weight(`${path}.weight`, [channels], constantInitial(0.25))],
    apply: (x, c) => preluOp(x, c.weight(`${path}.weight`)),
  };
}

/** A channel's gate by the map's mean (Hu et al., Squeeze-and-Excitation Networks, CVPR 2018); torchvision's names `fc1`, `fc2`. */
export function squeezeExcite(path: string, channels: number, squeezed: number, activation: Layer): Layer {
  const gate = sequential(
    globalPool,
    reshape([channels, 1, 1]),
    conv(`${path}.fc1`, channels, squeezed, 1),
    activation,
    conv(`${path}.fc2`, squeezed, channels, 1),
    sigmoid,
  );
  return { weights: gate.weights, apply: (x, c) => mul(x, gate.apply(x, c)) };
}

/** The batch's classes as one-hot rows. @throws RangeError in a network that was given none. */
export function conditionOf({ condition }: LayerContext, path: string): Value {
  if (condition === undefined) throw new RangeError(`${path} is conditioned on classes, and none were given`);
  return condition;
}

/** PyTorch's InstanceNorm2d with `affine=True`. */
export function instanceNorm(path: string, channels: number): Layer {
  return {
    weights: [
      weight(`${path}.weight`, [channels], constantInitial(1)),
      weight(`${path}.bias`, [channels], constantInitial(0)),
    ],
    apply: (x, c) => instanceNormOp(x, { weight: c.weight(`${path}.weight`), bias: c.weight(`${path}.bias`) }),
  };
}
