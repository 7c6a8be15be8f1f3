import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeNpy, readNpy, writeNpy } from "./npy.ts";

describe("npy files", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tldmi-npy-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("what is written is read again, for every number of dimensions", async () => {
    const data = Float32Array.of(1.5, -2, Number.NaN, Number.POSITIVE_INFINITY, 1e-40, 6);
    for (const shape of [[6], [2, 3], [1, 2, 3, 1]]) {
      const path = join(folder, `${shape.length}.npy`);
      await writeNpy(path, data, shape);
      expect(await readNpy(path)).toEqual({ shape, data });
    }
    await writeNpy(join(folder, "scalar.npy"), Float32Array.of(4), []);
    expect(await readNpy(join(folder, "scalar.npy"))).toEqual({ shape: [], data: Float32Array.of(4) });
    await writeNpy(join(folder, "none.npy"), new Float32Array(0), [0, 3]);
    expect((await readNpy(join(folder, "none.npy"))).shape).toEqual([0, 3]);
  });

  test("writes a view's own numbers, not its whole buffer", () => {
    const view = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const bytes = Buffer.from(encodeNpy(view, [2]));
    expect([bytes.readFloatLE(bytes.length - 8), bytes.readFloatLE(bytes.length - 4)]).toEqual([2, 3]);
  });

  test("has the header that the format asks for", () => {
    const bytes = Buffer.from(encodeNpy(Float32Array.of(1, 2, 3), [3]));
    expect(bytes.length).toBe(128 + 12);
    expect(bytes.readUInt16LE(8)).toBe(118);
    expect(bytes.toString("latin1", 0, 8)).toBe("\x93NUMPY\x01\x00");
    expect(bytes.toString("latin1", 10, 128)).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(3,\), \} *\n$/,
    );
  });

  test("says why a file cannot be used", async () => {
    const good = Buffer.from(encodeNpy(Float32Array.of(1, 2, 3, 4), [2, 2]));
    const replaced = (from: string, to: string) => Buffer.from(good.toString("latin1").replace(from, to), "latin1");
    const cases: [Uint8Array, string][] = [
      [Buffer.from("hello"), "not a NumPy file of format version 1.0"],
      [replaced("'<f4'", "'<f8'"), "numbers of type '<f8', expected '<f4'"],
      [replaced("False", "True "), "column-major, expected row-major"],
      [replaced("'shape'", "'shade'"), "unreadable NumPy header"],
      [good.subarray(0, good.length - 3), "13 bytes of data where its shape (2×2) asks for 16"],
    ];
    const path = join(folder, "bad.npy");
    for (const [content, message] of cases) {
      await writeFile(path, content);
      await expect(readNpy(path)).rejects.toThrow(`${path}: ${message}`);
    }
    expect(() => encodeNpy(Float32Array.of(1), [2])).toThrow("1 numbers for the shape 2");
    expect(await readFile(path)).toHaveLength(good.length - 3);
  });
});
