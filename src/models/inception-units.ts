import { UserError } from "../engine/errors.ts";
import type { Layer } from "./layer.ts";
import { batchNorm, type ConvLayerOptions, conv, relu, sequential } from "./layers.ts";

/** How a unit's convolution moves. */
export type ConvSize = Pick<ConvLayerOptions, "stride" | "padding"> & {
  readonly kernel: number | readonly [number, number];
};

/** A unit of a chain: its name, its channels, its convolution. */
export type Link = readonly [path: string, to: number, size: ConvSize];

/** Convolution, batch norm and ReLU as the Inception line has them, named `path.conv` and `path.bn`. Channels are those of width 1. */
export interface Units {
  channels(published: number): number;
  one(path: string, from: number, to: number, size: ConvSize): Layer;
  /** The first unit: `from` are the image's own channels. */
  image(path: string, from: number, to: number, size: ConvSize): Layer;
  chain(from: number, ...links: readonly Link[]): Layer;
}

/** Every published number of channels in these architectures is a multiple of this, so that widths of whole 16ths are exact. */
const UNIT = 16;

/** Units of the given width. @throws UserError for a width that does not give whole numbers of channels. */
export function units(width: number, epsilon: number): Units {
  if (!Number.isInteger(width * UNIT)) throw new UserError(`width: expected a multiple of 1/${UNIT}, got ${width}`);
  const channels = (published: number) => published * width;
  const make = (path: string, from: number, to: number, { kernel, ...window }: ConvSize): Layer =>
    sequential(
      conv(`${path}.conv`, from, channels(to), kernel, { ...window, bias: false }),
      batchNorm(`${path}.bn`, channels(to), epsilon),
      relu,
    );
  const one = (path: string, from: number, to: number, size: ConvSize) => make(path, channels(from), to, size);
  return {
    channels,
    one,
    image: make,
    chain: (from, ...links) =>
      sequential(...links.map(([path, to, size], i) => one(path, i === 0 ? from : links[i - 1]![1], to, size))),
  };
}
