import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PREVIEW, PREVIEW_FILES, type Preview, previewTrail } from "./preview.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "preview-"));
});
afterAll(() => rm(dir, { recursive: true }));

const size = { channels: 1, height: 2, width: 2 };
const gray = (...values: number[]) => Float32Array.from(values.flatMap((v) => [v, v, v, v]));
const pixels = async (name: string) => [
  ...(await sharp(join(dir, PREVIEW, name))
    .toColourspace("b-w")
    .extractChannel(0)
    .raw()
    .toBuffer()),
];
const about = async () => JSON.parse(await readFile(join(dir, PREVIEW, PREVIEW_FILES.about), "utf8")) as Preview;

test("keeps the first pictures and the newest ones, one an identity, at most every two seconds, and removes them", async () => {
  let now = 0;
  const trail = previewTrail(dir, size, () => now);
  await trail.seen(gray(0, 0.2, 1), Int32Array.of(4, 4, 7));
  expect(await pixels(PREVIEW_FILES.first)).toEqual([0, 0, 255, 255, 0, 0, 255, 255]);
  now = 1000;
  await trail.seen(gray(1, 1, 1), Int32Array.of(4, 4, 7));
  expect(await about()).toEqual({ schemaVersion: 1, labels: [4, 7], size: [2, 2], frame: 0 });
  now = 2500;
  await trail.seen(gray(1, 0, 1), Int32Array.of(4, 4, 7));
  expect(await pixels(PREVIEW_FILES.first)).toEqual([0, 0, 255, 255, 0, 0, 255, 255]);
  expect(await pixels(PREVIEW_FILES.latest)).toEqual(Array(8).fill(255));
  expect((await about()).frame).toBe(1);

  // Other identities are shown at once, from their own first pictures on.
  await trail.seen(gray(0, 0), Int32Array.of(8, 9));
  expect(await about()).toMatchObject({ labels: [8, 9], frame: 0 });
  expect(await pixels(PREVIEW_FILES.first)).toEqual(Array(8).fill(0));

  await trail.remove();
  expect(await readdir(dir)).toEqual([]);
});
