import { add, mul, sub } from "../engine/ops/elementwise.ts";
import { resize } from "../engine/ops/resize.ts";
import { xavierUniform } from "../models/initial.ts";
import type { Layer } from "../models/layer.ts";
import {
  batchNorm,
  conditionalBatchNorm,
  conv,
  linear,
  operation,
  relu,
  reshape,
  residual,
  sequential,
  tanh,
} from "../models/layers.ts";
import { halvings } from "./gmi-networks.ts";
import { halve, projection, spectralConv } from "./spectral-layers.ts";

/** Gain of Glorot's initial weights in the blocks' main branches (released code). */
const GAIN = Math.SQRT2;

const double: Layer = operation((x) => resize(x, 2 * x.shape[2]!, 2 * x.shape[3]!, "bilinear"));

/** A residual block that doubles the side, conditioned on classes. */
function upBlock(path: string, from: number, to: number, classes: number): Layer {
  const norm = (name: string, channels: number) => conditionalBatchNorm(name, channels, classes);
  const three = { padding: 1, initial: xavierUniform(GAIN) };
  return residual(
    sequential(
      norm(`${path}.b1`, from),
      relu,
      double,
      conv(`${path}.c1`, from, to, 3, three),
      norm(`${path}.b2`, to),
      relu,
      conv(`${path}.c2`, to, to, 3, three),
    ),
    sequential(double, conv(`${path}.c_sc`, from, to, 1, { initial: xavierUniform() })),
  );
}

/** The discriminator's first block: from pixels, so without a ReLU in front, and its shortcut halves first. */
function firstBlock(path: string, from: number, to: number): Layer {
  return residual(
    sequential(spectralConv(`${path}.c1`, from, to, 3, GAIN), relu, spectralConv(`${path}.c2`, to, to, 3, GAIN), halve),
    sequential(halve, spectralConv(`${path}.c_sc`, from, to, 1, 1)),
  );
}

/** A residual block that halves the side. */
function downBlock(path: string, from: number, to: number): Layer {
  return residual(
    sequential(
      relu,
      spectralConv(`${path}.c1`, from, from, 3, GAIN),
      relu,
      spectralConv(`${path}.c2`, from, to, 3, GAIN),
      halve,
    ),
    sequential(spectralConv(`${path}.c_sc`, from, to, 1, 1), halve),
  );
}

/**
 * PLG-MI's generator (released code `ResNetGenerator`): linear to 4×4, residual blocks that double the side, each half as wide as the
 * one before, batch norm, 1×1 convolution. Its tanh is brought to [0, 1]. `width` is the channels at the full side (64 in the paper).
 */
export function plgGenerator(
  latent: number,
  [channels, side]: readonly [number, number, number],
  width: number,
  classes: number,
): Layer {
  const ups = halvings(side);
  const widths = Array.from({ length: ups + 1 }, (_, i) => width * 2 ** (ups - i));
  return sequential(
    linear("l1", latent, widths[0]! * 16, { initial: xavierUniform() }),
    reshape([widths[0]!, 4, 4]),
    ...widths.slice(1).map((to, i) => upBlock(`block${i + 2}`, widths[i]!, to, classes)),
    batchNorm(`b${ups + 2}`, width),
    relu,
    conv(`conv${ups + 2}`, width, channels, 1, { initial: xavierUniform() }),
    tanh,
    operation((x) => mul(add(x, 1), 0.5)),
  );
}

/**
 * The residual blocks with spectral norm of PLG-MI's discriminator, down to 2×2, and the ReLU behind them: images [N, C, side, side] in
 * [0, 1], brought to [−1, 1] as in the released code, to [N, channels, 2, 2]. `next` is the number of the layer that follows.
 */
export function spectralTrunk([channels, side]: readonly [number, number, number], width: number) {
  const downs = halvings(side);
  const layer = sequential(
    // Spectral norm bounds how fast scores can change: over a range half as wide the discriminator would be half as sharp.
    operation((x) => sub(mul(x, 2), 1)),
    firstBlock("block1", channels, width),
    ...Array.from({ length: downs }, (_, i) => downBlock(`block${i + 2}`, width * 2 ** i, width * 2 ** (i + 1))),
    relu,
  );
  return { layer, channels: width * 2 ** downs, next: downs + 2 };
}

/**
 * PLG-MI's discriminator (released code `SNResNetProjectionDiscriminator`): the trunk, then the projection of the class. Gives one
 * number an image, [N].
 */
export function plgDiscriminator(image: readonly [number, number, number], width: number, classes: number): Layer {
  const { layer, channels, next } = spectralTrunk(image, width);
  return sequential(layer, projection(`l${next}`, "l_y", channels, classes));
}
