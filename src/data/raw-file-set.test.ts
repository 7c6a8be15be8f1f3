import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { random } from "../engine/random.ts";
import { memorySet } from "./memory-set.ts";
import { openRawFileSet, writeRawFile } from "./raw-file-set.ts";

const COUNT = 200;
const LENGTH = 2 * 3 * 4;
const header = {
  channels: 2,
  height: 3,
  width: 4,
  classes: ["a", "b"],
  labels: Int32Array.from({ length: COUNT }, (_, i) => i % 2),
};
const bytes = Uint8Array.from({ length: COUNT * LENGTH }, (_, i) => (i * 31 + (i >> 8)) % 256);
const image = (index: number) => bytes.subarray(index * LENGTH, (index + 1) * LENGTH);
const images = function* (count = COUNT) {
  for (let i = 0; i < count; i++) yield image(i);
};

describe("a set over a raw file", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tldmi-raw-"));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(["memory", "disk"])("gives the bytes that were written, in any order of reading, from %s", async (from) => {
    if (from === "disk") {
      // Every read takes longer than one from memory can.
      let ms = 0;
      vi.spyOn(performance, "now").mockImplementation(() => {
        ms += 50;
        return ms;
      });
    }
    const { path, hash } = await writeRawFile(join(folder, "cache"), header, images());
    const set = await openRawFileSet({ ...header, name: "raw", path, hash });
    const orders = [
      Array.from({ length: COUNT }, (_, i) => i),
      random(1, "order").permutation(COUNT),
      [5, 6, 7, 6, 7, 8, 199, 0],
      [],
    ];
    for (const order of orders) {
      const out = new Uint8Array(order.length * LENGTH);
      await set.read(order, out);
      expect(Buffer.from(out).equals(Buffer.concat(Array.from(order, image)))).toBe(true);
    }
    await expect(set.read([198, 199, 200], new Uint8Array(3 * LENGTH))).rejects.toThrow("raw: no image 200 among 200");
    await set.close();
  });

  test("has the hash of the same set in memory, and a file named by it", async () => {
    const { path, hash } = await writeRawFile(folder, header, images());
    expect(hash).toBe(memorySet({ ...header, name: "memory", bytes }).hash);
    expect(await readdir(folder)).toEqual([`images-${hash.slice(0, 32)}.u8`]);
    expect(path).toBe(join(folder, `images-${hash.slice(0, 32)}.u8`));
  });

  test("leaves nothing behind when the images stop with an error or are too few or of another size", async () => {
    const broken = async function* () {
      yield image(0);
      throw new Error("no more");
    };
    await expect(writeRawFile(folder, header, broken())).rejects.toThrow("no more");
    await expect(writeRawFile(folder, header, images(10))).rejects.toThrow("10 images for 200 labels");
    await expect(writeRawFile(folder, header, [new Uint8Array(5)])).rejects.toThrow(
      "image 0 has 5 bytes instead of 24",
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test("refuses a file of another size, also one that shrinks while it is open", async () => {
    const { path, hash } = await writeRawFile(folder, header, images());
    const set = await openRawFileSet({ ...header, name: "raw", path, hash });
    await truncate(path, 100);
    await expect(set.read([10], new Uint8Array(LENGTH))).rejects.toThrow(
      /ends before image 10 of 200; delete the file/,
    );
    await set.close();
    await expect(openRawFileSet({ ...header, name: "raw", path, hash })).rejects.toThrow(
      `${path}: expected 200 images of 2×3×4 bytes; delete the file, it is made again`,
    );
  });
});
