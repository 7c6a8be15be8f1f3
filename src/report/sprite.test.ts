import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeSprite } from "./sprite.ts";

let folder = "";
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sprite-"));
  const flat = (size: number, r: number, g: number, b: number) =>
    sharp({ create: { width: size, height: size, channels: 3, background: { r, g, b } } }).png();
  await flat(16, 200, 0, 0).toFile(at("red.png"));
  await flat(16, 0, 0, 200).toFile(at("blue.png"));
  await flat(16, 90, 90, 90).toColourspace("b-w").toFile(at("grey.png"));
  await flat(300, 0, 200, 0).toFile(at("large.png"));
  await writeFile(at("broken.png"), "no image at all");
});
afterAll(() => rm(folder, { recursive: true }));

async function pixels(dataUri: string): Promise<{ data: Buffer; width: number; height: number }> {
  const bytes = Buffer.from(dataUri.replace(/^data:image\/(png|webp);base64,/, ""), "base64");
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

test("each image lands in its own tile, grey ones as grey", async () => {
  const sprite = await makeSprite([
    [at("red.png"), at("blue.png")],
    [at("blue.png"), at("grey.png")],
  ]);
  if (sprite === undefined) throw new Error("expected a sprite");
  const { data, width, height } = await pixels(sprite.dataUri);
  expect([width, height, sprite.tile]).toEqual([32, 32, 16]);
  const color = (x: number, y: number) => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
  expect(color(8, 8)).toEqual([200, 0, 0, 255]);
  expect(color(24, 8)).toEqual([0, 0, 200, 255]);
  expect(color(8, 24)).toEqual([0, 0, 200, 255]);
  expect(color(24, 24)).toEqual([90, 90, 90, 255]);
});

test("missing and broken images stay transparent and are counted as missing", async () => {
  const sprite = await makeSprite([[at("none.png"), at("red.png"), at("broken.png")]]);
  expect(sprite?.present).toEqual([[false, true, false]]);
  const { data } = await pixels(sprite?.dataUri ?? "");
  expect(data[3]).toBe(0);
  expect(data[16 * 4 + 3]).toBe(255);
});

test("without a single readable image there is no sprite", async () => {
  expect(await makeSprite([[at("none.png"), at("broken.png")]])).toBeUndefined();
  expect(await makeSprite([])).toBeUndefined();
});

test("large images are made smaller, and packed with little loss", async () => {
  const sprite = await makeSprite([[at("large.png"), at("large.png")]]);
  expect(sprite?.tile).toBe(96);
  expect(sprite?.dataUri.startsWith("data:image/webp;")).toBe(true);
  const { data, width, height } = await pixels(sprite?.dataUri ?? "");
  expect([width, height]).toEqual([192, 96]);
  for (const [i, wanted] of [0, 200, 0, 255].entries())
    expect(Math.abs(data[(48 * width + 144) * 4 + i]! - wanted)).toBeLessThan(6);
});
