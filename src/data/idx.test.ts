import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { readIdx } from "./idx.ts";

describe("readIdx", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tldmi-idx-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const images = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255]);
  async function file(name: string, content: Uint8Array): Promise<string> {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  }

  test("reads plain and gzip-compressed files alike, whatever their names", async () => {
    for (const content of [images, gzipSync(images)]) {
      const { dims, bytes } = await readIdx(await file("images", content), 3);
      expect(dims).toEqual([2, 1, 3]);
      expect([...bytes]).toEqual([1, 2, 3, 4, 5, 255]);
    }
  });

  test("says what is wrong with a file", async () => {
    const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 1, 7]);
    const cases: [string, Uint8Array, RegExp][] = [
      ["labels", labels, /labels: magic number 2049 instead of 2051 .*3 dimensions/],
      ["short", images.subarray(0, 20), /short: truncated: 4 bytes of data where its header \(2×1×3\) asks for 6/],
      ["long", Buffer.concat([images, labels]), /long: too long: 15 bytes/],
      ["header", images.subarray(0, 10), /header: truncated inside its header/],
      ["empty", Buffer.alloc(0), /empty: 0 bytes are too few/],
      ["cut.gz", gzipSync(images).subarray(0, 15), /cut\.gz: damaged gzip file/],
    ];
    for (const [name, content, message] of cases) {
      const reading = readIdx(await file(name, content), 3);
      await expect(reading, name).rejects.toThrow(message);
      await expect(reading, name).rejects.toBeInstanceOf(UserError);
    }
    await expect(readIdx(join(folder, "absent"), 3)).rejects.toThrow(/absent: cannot be read: ENOENT/);
  });
});
