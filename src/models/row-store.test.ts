import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRowStore } from "./row-store.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rows-"));
});
afterAll(() => rm(folder, { recursive: true }));

const size = { count: 5, length: 3 };
const rows = (...numbers: number[]) => Float32Array.from(numbers.flatMap((n) => [n, n + 0.25, -n]));

test.each([
  ["memory", 5 * 3 * 4, []],
  ["a file", 5 * 3 * 4 - 1, ["rows.f32"]],
])("rows kept in %s are read in any order, as often as asked for", async (_, memory, files) => {
  const path = join(folder, "rows.f32");
  await writeFile(path, "of an earlier process");
  const store = (await openRowStore({ ...size, memory, path }))!;
  expect(await readdir(folder)).toEqual(files);
  await store.write(2, rows(2, 3, 4));
  await store.write(0, rows(0, 1));
  // Into the middle of a larger buffer, as batches are.
  const out = new Float32Array(14);
  await store.read([4, 0, 4, 3], out.subarray(1, 13));
  expect(out).toEqual(Float32Array.from([0, ...rows(4, 0, 4, 3), 0]));
  await store.release();
  expect(await readdir(folder)).toEqual([]);
});

test("a row of a file that was never written is an error, not zeros", async () => {
  const store = (await openRowStore({ ...size, memory: 0, path: join(folder, "rows.f32") }))!;
  await store.write(0, rows(0));
  await expect(store.read([1], new Float32Array(3))).rejects.toThrow(/never written/);
  await store.release();
});

test("more rows than fit in memory have no store without a file, and none in a file that is too large", async () => {
  expect(await openRowStore({ ...size, memory: 59 })).toBeUndefined();
  const huge = { count: 2 ** 20, length: 2 ** 20, memory: 2 ** 20, path: join(folder, "rows.f32") };
  expect(await openRowStore(huge)).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
});
