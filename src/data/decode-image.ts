import { readFile } from "node:fs/promises";
import { UserError } from "../engine/errors.ts";

/** 8192×8192. A damaged file of a few bytes can claim more pixels than memory has, and is believed until they are missing. */
const MOST_PIXELS = 2 ** 26;

/** What a decoded image is brought to. */
export interface DecodeOptions {
  /** Side in pixels of the square result. */
  readonly size: number;
  readonly channels: 1 | 3;
  /**
   * `center`: the largest square in the middle; `none`: the whole image, stretched where it is not square; a number: the square of so
   * many pixels in the middle, which the image must have.
   */
  readonly crop: "center" | "none" | number;
}

/** A part of an image, in pixels from its upper left corner. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes an image file to `channels × size × size` bytes: turned as its EXIF data say, brought to sRGB or grey (from any
 * colour space), transparent parts on white, cut, and resized (Lanczos). An animation gives its first picture.
 * @param box the part that is looked at, before anything is cut
 * @throws UserError for a file that cannot be read or decoded whole; names the file and says what the decoder said.
 */
export async function decodeImage(path: string, options: DecodeOptions, box?: Box): Promise<Uint8Array> {
  // Given as bytes, not as a path: the decoder's cache goes by path and would miss that a file was replaced.
  return decodeContent(path, () => readFile(path), options, box);
}

/**
 * Decodes an image that lies elsewhere than in a file of its own, as `decodeImage` does.
 * @param name what messages call it
 * @throws UserError where it cannot be read or decoded whole
 */
export async function decodeContent(
  name: string,
  read: () => Promise<Uint8Array> | Uint8Array,
  options: DecodeOptions,
  box?: Box,
): Promise<Uint8Array> {
  const { size, channels, crop } = options;
  const { default: sharp } = await import("sharp");
  try {
    const content = await read();
    const image = sharp(content, { failOn: "error", limitInputPixels: MOST_PIXELS })
      .autoOrient()
      .flatten({ background: "white" });
    const part = box ?? (typeof crop === "number" ? await middle(content, crop) : undefined);
    const { data, info } = await (part === undefined ? image : image.extract(part))
      .resize(size, size, { fit: crop === "none" ? "fill" : "cover" })
      .toColourspace(channels === 3 ? "srgb" : "b-w")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`decoded to ${info.channels} channels instead of ${channels}`);
    return planes(data, channels);
  } catch (error) {
    const reason = (error as Error).message
      .trim()
      .replaceAll(/\s*\n\s*/g, "; ")
      .replace(/:$/, "");
    throw new UserError(`${name}: cannot be read as an image: ${reason}; replace or remove the file`);
  }
}

async function middle(content: Uint8Array, side: number): Promise<Box> {
  const { default: sharp } = await import("sharp");
  const { autoOrient } = await sharp(content, { limitInputPixels: MOST_PIXELS }).metadata();
  const { width, height } = autoOrient;
  if (Math.min(width, height) < side)
    throw new Error(`it has ${width}×${height} pixels, the crop asks for ${side}×${side}`);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), width: side, height: side };
}

/** From pixel after pixel to channel after channel. */
function planes(interleaved: Uint8Array, channels: number): Uint8Array {
  const pixels = interleaved.length / channels;
  const out = new Uint8Array(interleaved.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < pixels; i++) out[channel * pixels + i] = interleaved[i * channels + channel]!;
  }
  return out;
}
