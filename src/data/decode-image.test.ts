import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { type DecodeOptions, decodeImage } from "./decode-image.ts";

const RGB: DecodeOptions = { size: 8, channels: 3, crop: "center" };
const RED = { r: 255, g: 0, b: 0 };
const BLUE = { r: 0, g: 0, b: 255 };

/** An image of the given size, blue but for a red rectangle. */
function drawn(width: number, height: number, red: { left: number; top: number; width: number; height: number }) {
  const patch = { create: { width: red.width, height: red.height, channels: 3 as const, background: RED } };
  return sharp({ create: { width, height, channels: 3, background: BLUE } }).composite([
    { input: patch, left: red.left, top: red.top },
  ]);
}

/** Red, green and blue at a place of an 8×8 image. */
function at(image: Uint8Array, y: number, x: number): number[] {
  return [0, 64, 128].map((plane) => image[plane + y * 8 + x]!);
}

describe("decodeImage", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tldmi-decode-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("gives channel after channel, the same from every lossless format", async () => {
    const top = drawn(16, 16, { left: 0, top: 0, width: 16, height: 8 });
    const [png, webp, tiff] = ["top.png", "top.webp", "top.tiff"].map((name) => join(folder, name));
    await top.clone().png().toFile(png!);
    await top.clone().webp({ lossless: true }).toFile(webp!);
    await top.clone().tiff({ compression: "lzw" }).toFile(tiff!);
    const image = await decodeImage(png!, RGB);
    expect(image).toHaveLength(192);
    expect([at(image, 0, 0), at(image, 7, 7)]).toEqual([
      [255, 0, 0],
      [0, 0, 255],
    ]);
    expect(await decodeImage(tiff!, RGB)).toEqual(image);
    // At its own size, as a WebP file is otherwise halved while it is decoded, which rings less at edges.
    const own = { ...RGB, size: 16 };
    expect(await decodeImage(webp!, own)).toEqual(await decodeImage(png!, own));
  });

  test("cuts the middle square, or keeps the whole image stretched", async () => {
    const path = join(folder, "wide.png");
    await drawn(24, 8, { left: 8, top: 0, width: 8, height: 8 }).png().toFile(path);
    const cut = await decodeImage(path, RGB);
    expect([at(cut, 4, 0), at(cut, 4, 7)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
    ]);
    const whole = await decodeImage(path, { ...RGB, crop: "none" });
    expect([0, 4, 7].map((x) => at(whole, 4, x)[0]! > 127)).toEqual([false, true, false]);
    expect([0, 4, 7].map((x) => at(whole, 4, x)[2]! > 127)).toEqual([true, false, true]);
  });

  test("turns an image as its EXIF data say, before it is cut", async () => {
    const path = join(folder, "turned.jpg");
    // Stored 32 high and 16 wide with red at the left; a quarter turn to the right puts red on top.
    const stored = await drawn(16, 32, { left: 0, top: 0, width: 8, height: 32 }).png().toBuffer();
    await sharp(stored)
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .toFile(path);
    const image = await decodeImage(path, RGB);
    expect(at(image, 1, 1)[0]).toBeGreaterThan(230);
    expect(at(image, 1, 6)[0]).toBeGreaterThan(230);
    expect(at(image, 6, 1)[0]).toBeLessThan(25);
    expect(at(image, 6, 6)[0]).toBeLessThan(25);
  });

  test("brings grey, 16-bit and CMYK images to three channels, and colour to one", async () => {
    const flat = sharp({ create: { width: 12, height: 12, channels: 3, background: { r: 200, g: 60, b: 60 } } });
    const grey = join(folder, "grey.png");
    const deep = join(folder, "deep.png");
    const cmyk = join(folder, "cmyk.jpg");
    await flat.clone().greyscale().png().toFile(grey);
    await flat.clone().toColourspace("rgb16").png().toFile(deep);
    await flat.clone().toColourspace("cmyk").jpeg({ quality: 100 }).toFile(cmyk);
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");

    const [r, g, b] = at(await decodeImage(grey, RGB), 3, 3);
    expect([g, b]).toEqual([r, r]);
    expect(await decodeImage(grey, { ...RGB, channels: 1 })).toEqual(new Uint8Array(64).fill(r!));
    for (const [channel, value] of at(await decodeImage(deep, RGB), 3, 3).entries()) {
      expect(Math.abs(value - [200, 60, 60][channel]!)).toBeLessThanOrEqual(1);
    }
    const [red, green] = at(await decodeImage(cmyk, RGB), 3, 3);
    expect(red! - green!).toBeGreaterThan(80);
    expect(await decodeImage(cmyk, { ...RGB, channels: 1 })).toHaveLength(64);
  });

  test("puts transparent parts on white", async () => {
    const path = join(folder, "clear.png");
    await sharp({ create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toFile(path);
    expect(at(await decodeImage(path, RGB), 2, 2)).toEqual([255, 255, 255]);
  });

  test("names a file that is cut short, is no image, is empty or is not there, and says what to do", async () => {
    const noise = sharp({
      create: {
        width: 64,
        height: 64,
        channels: 3,
        background: RED,
        noise: { type: "gaussian", mean: 128, sigma: 40 },
      },
    });
    const cases: [string, Uint8Array | undefined, RegExp][] = [
      ["cut.jpg", (await noise.clone().jpeg().toBuffer()).subarray(0, 1000), /premature end/],
      ["cut.png", (await noise.clone().png().toBuffer()).subarray(0, 5000), /png/],
      ["text.jpg", Buffer.from("not an image"), /unsupported image format/],
      ["empty.png", Buffer.alloc(0), /empty/i],
      ["absent.png", undefined, /ENOENT/],
    ];
    for (const [name, content, reason] of cases) {
      const path = join(folder, name);
      if (content !== undefined) await writeFile(path, content);
      const decoding = decodeImage(path, RGB);
      await expect(decoding, name).rejects.toBeInstanceOf(UserError);
      await expect(decoding, name).rejects.toThrow(reason);
      await expect(decoding, name).rejects.toThrow(/^\S+: cannot be read as an image: .*; replace or remove the file$/);
      await expect(decoding, name).rejects.toThrow(path);
    }
  });

  test("sees that a file was replaced", async () => {
    const path = join(folder, "changing.png");
    await drawn(8, 8, { left: 0, top: 0, width: 8, height: 8 }).png().toFile(path);
    const before = await decodeImage(path, RGB);
    await writeFile(path, await readFile(join(folder, "clear.png")));
    expect(at(before, 0, 0)).toEqual([255, 0, 0]);
    expect(at(await decodeImage(path, RGB), 0, 0)).toEqual([255, 255, 255]);
  });
});
