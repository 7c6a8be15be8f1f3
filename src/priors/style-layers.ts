import type { Value } from "../engine/graph.ts";
import { leakyRelu } from "../engine/ops/activation.ts";
import { conv2d, convTranspose2d } from "../engine/ops/conv.ts";
import { add, div, mul, sqrt, square } from "../engine/ops/elementwise.ts";
import { linear, matmul } from "../engine/ops/linear.ts";
import { reshape, transpose } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { upFirDn2d } from "../engine/ops/upfirdn.ts";
import { constantInitial, normalInitial } from "../models/initial.ts";
import type { Layer, LayerContext, WeightSpec } from "../models/layer.ts";

// Names, gains and paddings are those of NVIDIA's stylegan2-ada-pytorch, so that its state_dicts fit.

/** The taps of every enlarging and reducing filter along one axis. */
const FILTER = [1, 3, 3, 1].map((tap) => tap / 8);
const LEAK = 0.2;
/** Keeps the second moment behind a leaky ReLU. */
const GAIN = Math.SQRT2;
const EPSILON = 1e-8;

const activate = (x: Value, gain = 1): Value => mul(leakyRelu(x, LEAK), GAIN * gain);
const alongChannels = (bias: Value): Value => reshape(bias, [1, bias.shape[0]!, 1, 1]);

const parameterOf = (name: string, shape: readonly number[], deviation: number): WeightSpec => ({
  name,
  shape,
  kind: "weight",
  initial: normalInitial(deviation),
});
const filledOf = (name: string, shape: readonly number[], value: number): WeightSpec => ({
  name,
  shape,
  kind: "weight",
  initial: constantInitial(value),
});

/** Options of a linear layer with an equalised learning rate. */
export interface EqualizedLinear {
  /** First value of the bias; 0 by default. */
  readonly bias?: number;
  /** Learning rate of its weights over the network's; 1 by default. */
  readonly rate?: number;
  /** Ends in the leaky ReLU. */
  readonly activated?: boolean;
}

/** A linear layer whose weights are N(0, 1) and scaled where they are used (Karras et al. 2018, section 4.1); x [N, from] */
export function equalizedLinear(path: string, from: number, to: number, options: EqualizedLinear = {}): Layer {
  const { bias = 0, rate = 1, activated = false } = options;
  return {
    weights: [parameterOf(`${path}.weight`, [to, from], 1 / rate), filledOf(`${path}.bias`, [to], bias)],
    apply(x, c) {
      const weight = mul(c.weight(`${path}.weight`), rate / Math.sqrt(from));
      const y = linear(x, weight, mul(c.weight(`${path}.bias`), rate));
      return activated ? activate(y) : y;
    },
  };
}

/** Options of a convolution with an equalised learning rate. */
export interface EqualizedConv {
  readonly bias?: boolean;
  /** Halves the side behind a blur. */
  readonly down?: boolean;
  readonly activated?: boolean;
  /** Factor of the result. */
  readonly gain?: number;
}

/** A convolution that keeps the side, or halves it (`Conv2dLayer`): kernel 1 or 3; x [N, from, H, W] */
export function equalizedConv(
  path: string,
  from: number,
  to: number,
  kernel: 1 | 3,
  options: EqualizedConv = {},
): Layer {
  const { bias = true, down = false, activated = false, gain = 1 } = options;
  const shape = [to, from, kernel, kernel];
  return {
    weights: [parameterOf(`${path}.weight`, shape, 1), ...(bias ? [filledOf(`${path}.bias`, [to], 0)] : [])],
    apply(x, c) {
      const weight = mul(c.weight(`${path}.weight`), 1 / Math.sqrt(from * kernel * kernel));
      const convolved = down ? halved(x, weight, kernel) : conv2d(x, weight, { padding: (kernel - 1) / 2 });
      const y = bias ? add(convolved, alongChannels(c.weight(`${path}.bias`))) : convolved;
      return activated ? activate(y, gain) : mul(y, gain);
    },
  };
}

function halved(x: Value, weight: Value, kernel: 1 | 3): Value {
  // A 1×1 kernel need not see the pixels that are dropped.
  if (kernel === 1) return conv2d(upFirDn2d(x, FILTER, { down: 2, padding: [1, 1] }), weight);
  return conv2d(upFirDn2d(x, FILTER, { padding: [2, 2] }), weight, { stride: 2 });
}

/** An image at twice its side; x [N, C, H, W] */
export function doubled(x: Value): Value {
  return upFirDn2d(x, FILTER, { up: 2, padding: [2, 1], gain: 4 });
}

/** A layer that a style steers: x [N, C, H, W], style [N, d]. */
export interface StyledLayer {
  readonly weights: readonly WeightSpec[];
  apply(x: Value, style: Value, context: LayerContext): Value;
}

/** Where a styled layer stands, and what it makes of what. */
export interface StyledOptions {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  /** Length of a style. */
  readonly style: number;
}

/** x · s a channel, s [N, C] */
const modulated = (x: Value, s: Value): Value => mul(x, reshape(s, [...s.shape, 1, 1]));

/**
 * 1 / √(Σ (w·s)² + ε) for each image and output channel (Karras et al. 2020, eq. 3); the sum over the kernel does not depend on the
 * style. weight [K, C, kh, kw], s [N, C]; gives [N, K]
 */
export function demodulation(weight: Value, s: Value): Value {
  const energy = sum(square(weight), [2, 3]);
  return div(1, sqrt(add(matmul(square(s), transpose(energy)), EPSILON)));
}

/**
 * Modulated convolution with noise, bias and leaky ReLU (`SynthesisLayer`): 3×3, at the given side, to which `up` doubles it. The
 * noise is drawn anew in training and a constant otherwise.
 */
export function synthesisLayer(options: StyledOptions & { readonly side: number; readonly up: boolean }): StyledLayer {
  const { path, from, to, style, side, up } = options;
  const affine = equalizedLinear(`${path}.affine`, style, from, { bias: 1 });
  return {
    weights: [
      ...affine.weights,
      parameterOf(`${path}.weight`, [to, from, 3, 3], 1),
      filledOf(`${path}.noise_strength`, [], 0),
      filledOf(`${path}.bias`, [to], 0),
      { ...parameterOf(`${path}.noise_const`, [side, side], 1), kind: "buffer" },
    ],
    apply(x, w, c) {
      const s = affine.apply(w, c);
      const weight = c.weight(`${path}.weight`);
      const bent = modulated(x, s);
      const convolved = up
        ? upFirDn2d(convTranspose2d(bent, transpose(weight, [1, 0, 2, 3]), { stride: 2 }), FILTER, {
            padding: [1, 1],
            gain: 4,
          })
        : conv2d(bent, weight, { padding: 1 });
      const noise = c.training
        ? c.noise(`${path}.noise`, [x.shape[0]!, 1, side, side])
        : reshape(c.weight(`${path}.noise_const`), [1, 1, side, side]);
      const noisy = add(modulated(convolved, demodulation(weight, s)), mul(noise, c.weight(`${path}.noise_strength`)));
      return activate(add(noisy, alongChannels(c.weight(`${path}.bias`))));
    },
  };
}

/** Modulated 1×1 convolution to the image's channels, without demodulation (`ToRGBLayer`). */
export function toImage({ path, from, to, style }: StyledOptions): StyledLayer {
  const affine = equalizedLinear(`${path}.affine`, style, from, { bias: 1 });
  return {
    weights: [...affine.weights, parameterOf(`${path}.weight`, [to, from, 1, 1], 1), filledOf(`${path}.bias`, [to], 0)],
    apply(x, w, c) {
      const s = mul(affine.apply(w, c), 1 / Math.sqrt(from));
      return add(conv2d(modulated(x, s), c.weight(`${path}.weight`)), alongChannels(c.weight(`${path}.bias`)));
    },
  };
}
