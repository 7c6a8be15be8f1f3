import { constant, type Value } from "../../engine/graph.ts";
import type { Dimension } from "../../engine/import/model-file.ts";
import { refusal } from "../../engine/import/refusal.ts";
import { add, mul } from "../../engine/ops/elementwise.ts";
import { broadcastTo, flip, transpose } from "../../engine/ops/movement.ts";
import { resize } from "../../engine/ops/resize.ts";
import { tensor } from "../../engine/tensor.ts";

/** Where an image's channels stand: before height and width, or behind them. */
export type Layout = "nchw" | "nhwc";

/** What an imported network wants of an image. */
export interface ImageFormat {
  readonly layout: Layout;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Numbers of black and white, before mean and std. */
  readonly range: readonly [number, number];
  /** One number a channel, or one for all. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly order: "rgb" | "bgr";
}

/** Channels of grey and of colour images. */
const CHANNELS = [1, 3];

/**
 * Layout and size that a file declares; axes that it leaves open are those of the images.
 * @param wanted the layout, where the user says it
 * @throws UserError for an input that is no batch of images
 */
export function declaredImage(
  dims: readonly Dimension[] | undefined,
  image: readonly [number, number, number],
  wanted: Layout | undefined,
  file: string,
): Pick<ImageFormat, "layout" | "channels" | "height" | "width"> {
  const shown = `[${dims?.join(", ") ?? ""}]`;
  if (dims !== undefined && dims.length !== 4) {
    throw refusal(`${file}: its input has shape ${shown}, an image classifier takes [batch, channels, height, width]`);
  }
  const [, c, h, w] = dims ?? ["", "", "", ""];
  const isChannels = (n: Dimension | undefined) => typeof n === "number" && CHANNELS.includes(n);
  const layout = wanted ?? (isChannels(w) && !isChannels(c) ? "nhwc" : "nchw");
  const [channels, height, width] = (layout === "nchw" ? [c, h, w] : [w, c, h]).map((n, i) =>
    typeof n === "number" ? n : image[i]!,
  ) as [number, number, number];
  if (!CHANNELS.includes(channels)) {
    throw refusal(`${file}: its input ${shown} has ${channels} channels as ${layout}, 1 or 3 are supported`);
  }
  if (channels < image[0]) throw refusal(`${file}: it takes grey images, the data are in colour; use grey ones`);
  return { layout, channels, height, width };
}

/** Images [N, C, H, W] in [0, 1] as the network wants them: size, channels, numbers, layout. */
export function prepare(images: Value, format: ImageFormat): Value {
  const { layout, channels, height, width, range, mean, std, order } = format;
  const sized = resize(images, height, width, "bilinear");
  const [n, c] = sized.shape as [number, number];
  const full = c === channels ? sized : broadcastTo(sized, [n, channels, height, width]);
  const ordered = order === "bgr" && channels > 1 ? flip(full, [1]) : full;
  // low + x·(high − low), minus mean, by std: one factor and one shift a channel.
  const factor = std.map((s) => (range[1] - range[0]) / s);
  const shift = std.map((s, i) => (range[0] - mean[i % mean.length]!) / s);
  const perChannel = (numbers: readonly number[]) => constant(tensor(numbers, [numbers.length, 1, 1]));
  const scaled = factor.every((f) => f === 1) ? ordered : mul(ordered, perChannel(factor));
  const moved = shift.every((s) => s === 0) ? scaled : add(scaled, perChannel(shift));
  return layout === "nchw" ? moved : transpose(moved, [0, 2, 3, 1]);
}
