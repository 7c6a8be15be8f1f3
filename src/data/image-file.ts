import { writeFileAtomic } from "../engine/atomic-file.ts";
import { type ImageSize, imageLength } from "./image-size.ts";

/** How a contact sheet is laid out. */
export interface ContactSheetOptions {
  /** Images a row. */
  readonly columns: number;
  /** Whole factor by which every pixel is enlarged; 1 by default. */
  readonly scale?: number;
  /** Pixels between images and around them, after enlarging; 2 by default. */
  readonly gap?: number;
  /** Red, green, blue, each 0 … 255; white by default. */
  readonly background?: readonly [number, number, number];
}

/** One image (CHW, 1 or 3 channels, values in [0, 1]; clamped) as PNG bytes. */
export async function encodePng(image: Float32Array, size: ImageSize): Promise<Buffer> {
  checkImages(image, size, 1);
  const pixels = size.height * size.width;
  const raw = new Uint8ClampedArray(image.length);
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < size.channels; channel++) {
      raw[i * size.channels + channel] = image[channel * pixels + i]! * 255;
    }
  }
  const { default: sharp } = await import("sharp");
  return sharp(raw, { raw: { width: size.width, height: size.height, channels: size.channels === 3 ? 3 : 1 } })
    .png()
    .toBuffer();
}

/** Writes one image (CHW, 1 or 3 channels, values in [0, 1]; clamped) as a PNG file, atomically. */
export async function writePng(path: string, image: Float32Array, size: ImageSize): Promise<void> {
  await writeFileAtomic(path, await encodePng(image, size));
}

/**
 * Images (NCHW, 1 or 3 channels, values in [0, 1]; clamped) in a grid, row by row, as the bytes of one RGB PNG. Enlarged
 * without smoothing, so that every pixel of the image can be seen.
 */
export async function contactSheet(
  images: Float32Array,
  size: ImageSize,
  options: ContactSheetOptions,
): Promise<Buffer> {
  const { columns, scale = 1, gap = 2, background = [255, 255, 255] } = options;
  const { channels, height, width } = size;
  const length = imageLength(size);
  const count = images.length / length;
  checkImages(images, size, count);
  const across = Math.min(columns, count);
  const sheetWidth = gap + across * (width * scale + gap);
  const sheetHeight = gap + Math.ceil(count / columns) * (height * scale + gap);
  const sheet = new Uint8ClampedArray(sheetWidth * sheetHeight * 3);
  for (let i = 0; i < sheet.length; i++) sheet[i] = background[i % 3]!;
  for (let image = 0; image < count; image++) {
    const left = gap + (image % columns) * (width * scale + gap);
    const top = gap + Math.floor(image / columns) * (height * scale + gap);
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = image * length + Math.floor(y / scale) * width + Math.floor(x / scale);
        const to = ((top + y) * sheetWidth + left + x) * 3;
        for (let colour = 0; colour < 3; colour++) {
          sheet[to + colour] = images[from + (channels === 3 ? colour * height * width : 0)]! * 255;
        }
      }
    }
  }
  const { default: sharp } = await import("sharp");
  return sharp(sheet, { raw: { width: sheetWidth, height: sheetHeight, channels: 3 } })
    .png()
    .toBuffer();
}

function checkImages(images: Float32Array, size: ImageSize, count: number): void {
  const { channels, height, width } = size;
  if (channels !== 1 && channels !== 3)
    throw new RangeError(`images of 1 or 3 channels can be drawn, not of ${channels}`);
  if (!Number.isSafeInteger(count) || count < 1 || images.length !== count * imageLength(size)) {
    throw new RangeError(`${images.length} values are no whole number of images of ${channels}×${height}×${width}`);
  }
}
