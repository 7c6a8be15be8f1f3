import type { Value } from "../engine/graph.ts";
import { clamp } from "../engine/ops/clamp.ts";
import { add, div, mul, sqrt, square, sub } from "../engine/ops/elementwise.ts";
import { broadcastTo, concat, reshape, sliceAxis } from "../engine/ops/movement.ts";
import { mean } from "../engine/ops/reduce.ts";
import { constantInitial, normalInitial } from "../models/initial.ts";
import type { Layer } from "../models/layer.ts";
import { flatten, operation, sequential } from "../models/layers.ts";
import { halvings } from "./gmi-networks.ts";
import {
  doubled,
  equalizedConv,
  equalizedLinear,
  type StyledOptions,
  synthesisLayer,
  toImage,
} from "./style-layers.ts";
import type { SynthesisBlock, SynthesisParts } from "./synthesis-parts.ts";

/** The sizes of a StyleGAN2. */
export interface StyleSizes {
  /** Length of z. */
  readonly latent: number;
  /** Length of a style, w. */
  readonly style: number;
  /** Linear layers between z and w. */
  readonly mappingLayers: number;
  /** Channels at the full side; each halving of the side doubles them, up to `maxWidth`. */
  readonly width: number;
  readonly maxWidth: number;
  /** [channels, side, side] of what it makes. */
  readonly image: readonly [number, number, number];
}

const EPSILON = 1e-8;
/** Learning rate of the mapping network over the others' (Karras et al. 2019, appendix C). */
const MAPPING_RATE = 0.01;
/** How much of the old average of w is kept (released code). */
const AVERAGE_DECAY = 0.995;

/** 4, 8, … up to the image's side. @throws UserError for a side that is no such number. */
const sidesOf = ({ image: [, side] }: StyleSizes): number[] =>
  Array.from({ length: halvings(side) + 1 }, (_, i) => 4 * 2 ** i);

const widthAt = ({ width, maxWidth, image: [, full] }: StyleSizes, side: number): number =>
  Math.min((width * full) / side, maxWidth);

/** How many styles an image takes: one for each convolution, and one for the last layer. */
export function styleCount(sizes: StyleSizes): number {
  return 2 * sidesOf(sizes).length;
}

/** z [N, latent] to w [N, style]; in training it keeps the average of w. */
export function mappingNetwork({ latent, style, mappingLayers }: StyleSizes): Layer {
  const layers = Array.from({ length: mappingLayers }, (_, i) =>
    equalizedLinear(`mapping.fc${i}`, i === 0 ? latent : style, style, { rate: MAPPING_RATE, activated: true }),
  );
  const average = "mapping.w_avg";
  return {
    weights: [
      ...layers.flatMap((layer) => layer.weights),
      { name: average, shape: [style], kind: "buffer", initial: constantInitial(0) },
    ],
    apply(z, c) {
      const normal = div(z, sqrt(add(mean(square(z), [1], true), EPSILON)));
      const w = layers.reduce((x, layer) => layer.apply(x, c), normal);
      if (c.training) {
        const now = mean(w, [0]);
        c.update(average, add(now, mul(sub(c.weight(average), now), AVERAGE_DECAY)));
      }
      return w;
    },
  };
}

/** w_avg + ψ·(w − w_avg): styles nearer to the average one, for ψ < 1 (Karras et al. 2019, appendix B); w [N, style] */
export function truncated(mapping: Layer, truncation: number): Layer {
  return {
    weights: mapping.weights,
    apply(z, c) {
      const average = c.weight("mapping.w_avg");
      return add(average, mul(sub(mapping.apply(z, c), average), truncation));
    },
  };
}

/** The same style for every layer: [N, style] (or [N, 1, style]) to [N, count, style] */
export function forAllLayers(w: Value, count: number): Value {
  const [n, length] = [w.shape[0]!, w.shape.at(-1)!];
  return broadcastTo(reshape(w, [n, 1, length]), [n, count, length]);
}

/**
 * From styles [N, count, style], block by block, to images in [0, 1]: a learnt constant of 4×4, which each block but the first doubles, and
 * the sum of the images of each side (Karras et al. 2020, with skip connections). The network's own range is [−1, 1]; what lies outside is
 * cut off where it is not in training.
 */
export function synthesisNetwork(sizes: StyleSizes): SynthesisParts {
  return {
    blocks: sidesOf(sizes).map((_, i) => synthesisBlock(sizes, i)),
    finish({ image }, { training }) {
      const brought = mul(add(image!, 1), 0.5);
      return training ? brought : clamp(brought, 0, 1);
    },
  };
}

/** The block of the given number: 4×4 for the first, 8×8 for the second. */
function synthesisBlock(sizes: StyleSizes, number: number): SynthesisBlock {
  const { style, image } = sizes;
  const side = 4 * 2 ** number;
  const [from, to] = [widthAt(sizes, side / 2), widthAt(sizes, side)];
  const at = (name: string): StyledOptions => ({ path: `synthesis.b${side}.${name}`, from: to, to, style });
  const second = synthesisLayer({ ...at("conv1"), side, up: false });
  const convs = number === 0 ? [second] : [synthesisLayer({ ...at("conv0"), from, side, up: true }), second];
  const last = toImage({ ...at("torgb"), to: image[0] });
  const start = { name: "synthesis.b4.const", shape: [to, 4, 4] };
  return {
    weights: [
      ...(number === 0 ? [{ ...start, kind: "weight", initial: normalInitial(1) } as const] : []),
      ...[...convs, last].flatMap((layer) => layer.weights),
    ],
    apply(before, styles, c) {
      const n = styles.shape[0]!;
      const styleAt = (i: number) => reshape(sliceAxis(styles, 1, i, i + 1), [n, style]);
      // The first block has one convolution, the others two.
      const first = number === 0 ? 0 : 2 * number - 1;
      const begin =
        before?.features ?? broadcastTo(reshape(c.weight(start.name), [1, ...start.shape]), [n, ...start.shape]);
      const features = convs.reduce((x, layer, i) => layer.apply(x, styleAt(first + i), c), begin);
      // It shares its style with the next side's first convolution.
      const part = last.apply(features, styleAt(first + convs.length), c);
      return { features, image: before?.image === undefined ? part : add(doubled(before.image), part) };
    },
  };
}

/** A residual block that halves the side. */
function downBlock(path: string, from: number, to: number): Layer {
  const gain = Math.SQRT1_2;
  const skip = equalizedConv(`${path}.skip`, from, to, 1, { bias: false, down: true, gain });
  const main = sequential(
    equalizedConv(`${path}.conv0`, from, from, 3, { activated: true }),
    equalizedConv(`${path}.conv1`, from, to, 3, { activated: true, down: true, gain }),
  );
  return { weights: [...main.weights, ...skip.weights], apply: (x, c) => add(main.apply(x, c), skip.apply(x, c)) };
}

/** Images of a group by which deviations are measured (released code). */
const GROUP = 4;

/** Adds one channel: how much the images of a group differ (Karras et al. 2018, section 3); [N, C, H, W] to [N, C + 1, H, W] */
export function minibatchDeviation(x: Value): Value {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const group = [GROUP, 3, 2, 1].find((size) => n % size === 0)!;
  const grouped = reshape(x, [group, n / group, c, h, w]);
  const centred = sub(grouped, mean(grouped, [0], true));
  const deviation = sqrt(add(mean(square(centred), [0]), EPSILON));
  const each = reshape(mean(deviation, [1, 2, 3]), [1, n / group, 1, 1]);
  return concat([x, reshape(broadcastTo(each, [group, n / group, h, w]), [n, 1, h, w])], 1);
}

/** Images [N, C, side, side] in [0, 1] to one score each, [N, 1]: residual blocks down to 4×4 (Karras et al. 2020). */
export function styleDiscriminator(sizes: StyleSizes): Layer {
  const [channels, side] = sizes.image;
  const last = widthAt(sizes, 4);
  return sequential(
    operation((x) => sub(mul(x, 2), 1)),
    equalizedConv(`b${side}.fromrgb`, channels, widthAt(sizes, side), 1, { activated: true }),
    ...sidesOf(sizes)
      .slice(1)
      .reverse()
      .map((at) => downBlock(`b${at}`, widthAt(sizes, at), widthAt(sizes, at / 2))),
    operation(minibatchDeviation),
    equalizedConv("b4.conv", last + 1, last, 3, { activated: true }),
    flatten,
    equalizedLinear("b4.fc", last * 16, last, { activated: true }),
    equalizedLinear("b4.out", last, 1),
  );
}
