import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { contactSheet, encodePng, writePng } from "./image-file.ts";

async function decoded(png: Uint8Array | string) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, values: [...data] };
}

describe("a PNG file", () => {
  test("has the image's bytes: every value 0 … 255 comes back, in colour and in grey", async () => {
    const grey = Float32Array.from({ length: 256 }, (_, i) => i / 255);
    const shown = await decoded(await encodePng(grey, { channels: 1, height: 16, width: 16 }));
    expect(shown.values.filter((_, i) => i % shown.channels === 0)).toEqual(Array.from({ length: 256 }, (_, i) => i));
    const rgb = Float32Array.of(1, 0, 0.2, 0, 0, 0.4, 0, 1, 0.6);
    expect(await decoded(await encodePng(rgb, { channels: 3, height: 1, width: 3 }))).toEqual({
      width: 3,
      height: 1,
      channels: 3,
      values: [255, 0, 0, 0, 0, 255, 51, 102, 153],
    });
  });

  test("clamps what lies outside of [0, 1]", async () => {
    const image = Float32Array.of(-0.5, 1.5, Number.NaN, -0.1, 2, 0);
    expect((await decoded(await encodePng(image, { channels: 3, height: 1, width: 2 }))).values).toEqual([
      0, 0, 255, 255, 0, 0,
    ]);
  });

  test("is written whole into a new folder", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tldmi-png-"));
    try {
      const path = join(folder, "images", "7", "0.png");
      await writePng(path, new Float32Array(12).fill(0.5), { channels: 3, height: 2, width: 2 });
      expect(await readdir(join(folder, "images", "7"))).toEqual(["0.png"]);
      expect((await decoded(path)).values).toEqual(Array(12).fill(128));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("refuses other numbers of channels and of values", async () => {
    await expect(encodePng(new Float32Array(8), { channels: 2, height: 2, width: 2 })).rejects.toThrow("not of 2");
    await expect(encodePng(new Float32Array(8), { channels: 3, height: 2, width: 2 })).rejects.toThrow("8 values");
  });
});

describe("a contact sheet", () => {
  test("places images row by row with gaps, enlarged without smoothing", async () => {
    const images = Float32Array.of(0, 0.2, 0.4, 0.6, 0.8, 1);
    const sheet = await decoded(
      await contactSheet(
        images,
        { channels: 1, height: 1, width: 2 },
        { columns: 2, scale: 2, gap: 1, background: [9, 8, 7] },
      ),
    );
    expect([sheet.width, sheet.height, sheet.channels]).toEqual([11, 7, 3]);
    const b = -1;
    const rows = [
      [b, b, b, b, b, b, b, b, b, b, b],
      [b, 0, 0, 51, 51, b, 102, 102, 153, 153, b],
      [b, 0, 0, 51, 51, b, 102, 102, 153, 153, b],
      [b, b, b, b, b, b, b, b, b, b, b],
      [b, 204, 204, 255, 255, b, b, b, b, b, b],
      [b, 204, 204, 255, 255, b, b, b, b, b, b],
      [b, b, b, b, b, b, b, b, b, b, b],
    ];
    expect(sheet.values).toEqual(rows.flat().flatMap((value) => (value === b ? [9, 8, 7] : [value, value, value])));
  });

  test("keeps colours apart and is no wider than its images", async () => {
    const red = [1, 1, 0, 0, 0, 0];
    const blue = [0, 0, 0, 0, 1, 1];
    const sheet = await decoded(
      await contactSheet(
        Float32Array.of(...red, ...blue),
        { channels: 3, height: 2, width: 1 },
        { columns: 8, gap: 0 },
      ),
    );
    expect([sheet.width, sheet.height]).toEqual([2, 2]);
    expect(sheet.values).toEqual([255, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 255]);
  });

  test("refuses an empty list and a list that ends inside an image", async () => {
    const size = { channels: 1, height: 2, width: 2 };
    await expect(contactSheet(new Float32Array(0), size, { columns: 2 })).rejects.toThrow("0 values");
    await expect(contactSheet(new Float32Array(7), size, { columns: 2 })).rejects.toThrow("7 values");
  });
});
