import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { decodeImage } from "../../src/data/decode-image.ts";
import { listImageTable } from "../../src/data/parquet/image-table.ts";
import { random } from "../../src/engine/random.ts";
import { encodeSafetensors } from "../../src/engine/safetensors.ts";
import { filled } from "../../src/engine/tensor.ts";
import { readWeightFile } from "../../src/engine/weight-file.ts";
import { weightsOf } from "../../src/models/model.ts";
import { onnx } from "../../src/models/onnx.ts";
import { readStudy } from "../../src/study/read-study.ts";
import { imageTable } from "./image-table.ts";
import { smallClassifier } from "./small-classifier.ts";

const beside = (path: string) => readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)));

const pixels = random(1, "hostile pixels");
const drawn = sharp(
  Uint8Array.from({ length: 24 * 24 * 3 }, () => pixels.int(256)),
  { raw: { width: 24, height: 24, channels: 3 } },
);
const png = () => drawn.clone().png().toBuffer();
const jpeg = () => drawn.clone().jpeg().toBuffer();

async function readWeights(path: string): Promise<void> {
  for (const tensor of (await readWeightFile(path)).tensors.values()) tensor.read();
}

async function readTable(path: string): Promise<void> {
  const tree = await listImageTable(path, "private", {});
  const rows = tree.encoded!(tree.files);
  for await (const { name, content } of rows)
    if (!(content === undefined || content === null || content instanceof Uint8Array))
      throw new Error(`${name}: no bytes`);
}

/** What reads a file of each format to its last byte, as a study would. */
export const READERS: Readonly<Record<string, (path: string) => unknown>> = {
  "model.onnx": (file) => weightsOf(onnx.build(onnx.config.parse({ file }), { input: [3, 8, 8], classes: 4 })),
  "w.safetensors": readWeights,
  "w.pth": readWeights,
  "legacy.pth": readWeights,
  "image.png": (path) => decodeImage(path, { size: 8, channels: 3, crop: "center" }),
  "image.jpg": (path) => decodeImage(path, { size: 8, channels: 3, crop: 4 }),
  "study.yaml": readStudy,
  "table.parquet": readTable,
};

/** Valid files of every format that is read, several of each: what mutations start from. */
export const SOURCES: Readonly<Record<string, () => Promise<readonly Uint8Array[]>>> = {
  "model.onnx": async () => [smallClassifier(), smallClassifier({ layout: "nhwc", batch: 1 })],
  "w.safetensors": async () => [
    encodeSafetensors({ "a.weight": filled([3, 4], 1), b: filled([5], 2) }, { note: "of a test" }),
    encodeSafetensors({ c: filled([2, 2, 2], 3) }),
  ],
  "w.pth": () => Promise.all([beside("golden/torch/types.pth"), beside("golden/torch/checkpoint.tar")]),
  "legacy.pth": async () => [await beside("golden/torch/types-legacy.pth")],
  "image.png": async () => [await png(), await drawn.clone().png({ palette: true }).toBuffer()],
  "image.jpg": async () => [await jpeg(), await drawn.clone().jpeg({ progressive: true }).toBuffer()],
  "study.yaml": () => Promise.all([beside("../examples/quickstart.yaml"), beside("../examples/mnist.yaml")]),
  "table.parquet": async () => {
    const rows = [
      { bytes: await png(), label: 0 },
      { bytes: await jpeg(), label: 1 },
      { bytes: await png(), label: 0 },
      { bytes: await png(), label: 1 },
    ];
    const names = ["Ann", "Bob"];
    const written = ["snappy-v1", "gzip-v2", "zstd-v1", "zstd-v2", "lz4-v2", "brotli-v1", "none-v2", "delta"];
    return [
      imageTable(rows, { names, rows: 2 }),
      imageTable(rows, { names, codec: "UNCOMPRESSED" }),
      ...(await Promise.all(written.map((name) => beside(`golden/parquet/${name}.parquet`)))),
    ];
  },
};
