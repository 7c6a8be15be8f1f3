import { join } from "node:path";
import sharp from "sharp";

/** Identities on a sheet at most, a row each. */
const MOST_ROWS = 20;

/**
 * A PNG of reconstructions, a row of images for each identity, in the order of their labels.
 * @param images the run's folder of images, `<label>/<k>.png`
 * @param labels of the attacked identities
 * @param each reconstructions of an identity
 */
export async function contactSheetPng(images: string, labels: readonly number[], each: number): Promise<Buffer> {
  const rows = labels.slice(0, MOST_ROWS);
  const file = (label: number, k: number) => join(images, String(label), `${k}.png`);
  const { width, height } = await sharp(file(rows[0]!, 0)).metadata();
  const tiles = rows.flatMap((label, row) =>
    Array.from({ length: each }, (_, k) => ({ input: file(label, k), left: k * width, top: row * height })),
  );
  const background = { r: 255, g: 255, b: 255 };
  return sharp({ create: { width: each * width, height: rows.length * height, channels: 3, background } })
    .composite(tiles)
    .png({ compressionLevel: 9 })
    .toBuffer();
}
