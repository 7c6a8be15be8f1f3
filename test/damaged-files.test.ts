import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeImage } from "../src/data/decode-image.ts";
import { readIdx } from "../src/data/idx.ts";
import { UserError } from "../src/engine/errors.ts";
import { random } from "../src/engine/random.ts";
import { encodeSafetensors } from "../src/engine/safetensors.ts";
import { filled } from "../src/engine/tensor.ts";
import { readWeightFile } from "../src/engine/weight-file.ts";
import { readStudy } from "../src/study/read-study.ts";

/** Damaged copies of each file; 45 of each of eight make 360. */
const COPIES = 45;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "damaged-"));
});
afterAll(() => rm(folder, { recursive: true }));

const golden = (name: string) => readFile(fileURLToPath(new URL(`./golden/torch/${name}`, import.meta.url)));
const example = (name: string) => readFile(fileURLToPath(new URL(`../examples/${name}`, import.meta.url)));

const pixels = random(1, "pixels");
const drawn = sharp(
  Uint8Array.from({ length: 24 * 24 * 3 }, () => pixels.int(256)),
  {
    raw: { width: 24, height: 24, channels: 3 },
  },
);

/** Reads all that a weight file holds, as an import would. */
async function readWeights(path: string): Promise<void> {
  for (const tensor of (await readWeightFile(path)).tensors.values()) tensor.read();
}

const image = (path: string) => decodeImage(path, { size: 8, channels: 3, crop: "center" });

const FILES: readonly (readonly [string, () => Promise<Uint8Array>, (path: string) => Promise<unknown>])[] = [
  ["types.pth", () => golden("types.pth"), readWeights],
  ["types-legacy.pth", () => golden("types-legacy.pth"), readWeights],
  ["checkpoint.tar", () => golden("checkpoint.tar"), readWeights],
  ["w.safetensors", async () => encodeSafetensors({ a: filled([3, 4], 1), b: filled([5], 2) }), readWeights],
  ["image.png", () => drawn.clone().png().toBuffer(), image],
  ["image.jpg", () => drawn.clone().jpeg().toBuffer(), image],
  ["study.yaml", () => example("quickstart.yaml"), readStudy],
  [
    "labels.idx",
    async () => Buffer.from([0, 0, 8, 1, 0, 0, 0, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
    (path: string) => readIdx(path, 1),
  ],
];

/** One of five kinds of damage: bytes changed, bits flipped, the end cut off, a piece taken out, a piece twice. */
function damaged(bytes: Uint8Array, rng: ReturnType<typeof random>): Buffer {
  const out = Buffer.from(bytes);
  const at = rng.int(out.length);
  const length = 1 + rng.int(Math.min(64, out.length));
  switch (rng.int(5)) {
    case 0:
      for (let i = 0; i < 8; i++) out[rng.int(out.length)] = rng.int(256);
      return out;
    case 1:
      // Sizes and offsets live at the ends of these formats.
      out[rng.int(Math.min(64, out.length))]! ^= 1 << rng.int(8);
      out[out.length - 1 - rng.int(Math.min(64, out.length))]! ^= 1 << rng.int(8);
      return out;
    case 2:
      return out.subarray(0, at);
    case 3:
      return Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
    default:
      return Buffer.concat([out.subarray(0, at), out.subarray(Math.max(0, at - length))]);
  }
}

test.each(FILES)("%s, damaged in many ways, is read or refused in words", async (name, make, read) => {
  const bytes = await make();
  await writeFile(join(folder, name), bytes);
  await read(join(folder, name));
  let refused = 0;
  for (let copy = 0; copy < COPIES; copy++) {
    const path = join(folder, `${copy}-${name}`);
    await writeFile(path, damaged(bytes, random(7, name, copy)));
    try {
      await read(path);
    } catch (error) {
      refused++;
      expect(error, `copy ${copy}: ${error instanceof Error ? error.stack : error}`).toBeInstanceOf(UserError);
      expect((error as UserError).message, `copy ${copy} names the file`).toContain(path);
    }
    await rm(path);
  }
  expect(refused).toBeGreaterThan(COPIES / 4);
});
