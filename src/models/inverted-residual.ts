import type { Layer } from "./layer.ts";
import { batchNorm, conv, residual, sequential, squeezeExcite } from "./layers.ts";

/** Channels scaled by a factor and rounded to a multiple of eight, never down by more than a tenth (torchvision's `_make_divisible`). */
export function scaledChannels(channels: number, factor: number): number {
  const wanted = channels * factor;
  const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

/** A block's shape. */
export interface InvertedResidual {
  readonly from: number;
  readonly to: number;
  readonly expansion: number;
  readonly kernel: number;
  readonly stride: number;
  /** Channels of the gate; none where it is absent. */
  readonly squeezed?: number;
}

/** A convolution with batch norm and, unless left out, an activation: torchvision's Conv2dNormActivation. */
export function convNorm(
  path: string,
  from: number,
  to: number,
  kernel: number,
  options: { readonly stride?: number; readonly groups?: number; readonly activation?: Layer },
): Layer {
  const { stride = 1, groups = 1, activation } = options;
  return sequential(
    conv(`${path}.0`, from, to, kernel, { bias: false, stride, padding: (kernel - 1) / 2, groups }),
    batchNorm(`${path}.1`, to),
    ...(activation === undefined ? [] : [activation]),
  );
}

/**
 * Expansion by a 1×1 convolution, a convolution of each channel by itself, perhaps a gate, and a 1×1 convolution back without
 * activation; beside a shortcut where the shapes allow (Sandler et al. 2018, figure 3).
 * @param project the last convolution and its norm, at the given place in the block
 */
export function invertedResidual(
  path: string,
  { from, to, expansion, kernel, stride, squeezed }: InvertedResidual,
  activation: Layer,
  project: (place: number, from: number, to: number) => Layer,
): Layer {
  const inner = from * expansion;
  const parts: Layer[] = [];
  if (expansion !== 1) parts.push(convNorm(`${path}.0`, from, inner, 1, { activation }));
  parts.push(convNorm(`${path}.${parts.length}`, inner, inner, kernel, { stride, groups: inner, activation }));
  if (squeezed !== undefined) parts.push(squeezeExcite(`${path}.${parts.length}`, inner, squeezed, activation));
  parts.push(project(parts.length, inner, to));
  const main = sequential(...parts);
  return stride === 1 && from === to ? residual(main) : main;
}
