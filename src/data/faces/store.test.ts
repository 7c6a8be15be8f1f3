import { mkdtemp, readdir, readFile, rename, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ImageSet } from "../dataset.ts";
import type { Recipe } from "./draw.ts";
import { drawnSet, type SetPlan } from "./store.ts";

const recipe: Recipe = {
  subject: "faces",
  range: "public",
  part: "public",
  seed: 3,
  family: 1,
  identityDistance: 1,
  variation: 1,
  size: 32,
};
const plan: SetPlan = { name: "faces test", recipe, classes: ["a", "b", "c", "d", "e"], images: 20 };
const bytes = 3 * 32 * 32;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "drawn-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function all(set: ImageSet): Promise<Uint8Array> {
  const out = new Uint8Array(set.size * bytes);
  await set.read(
    Array.from({ length: set.size }, (_, i) => i),
    out,
  );
  return out;
}

describe("a drawn set", () => {
  it("is drawn when first read, then read from its file", async () => {
    const told: number[] = [];
    const set = drawnSet(plan, { folder, progress: (done) => told.push(done) });
    expect(await readdir(folder)).toEqual([]);
    const first = await all(set);
    expect(await readdir(folder)).toEqual([`${set.hash}.u8`]);
    expect(told).toEqual([64, 100]);
    expect(await all(drawnSet(plan, { folder, progress: () => expect.unreachable() }))).toEqual(first);
  });

  it("reads any images in the order asked for and lists their classes", async () => {
    const set = drawnSet(plan, { folder });
    const whole = await all(set);
    const out = new Uint8Array(3 * bytes);
    await set.read([99, 0, 41], out);
    expect(out.subarray(0, bytes)).toEqual(whole.subarray(99 * bytes));
    expect(out.subarray(bytes, 2 * bytes)).toEqual(whole.subarray(0, bytes));
    expect(out.subarray(2 * bytes)).toEqual(whole.subarray(41 * bytes, 42 * bytes));
    expect([set.labels[99], set.labels[0], set.labels[41]]).toEqual([4, 0, 2]);
    await expect(set.read([100], out)).rejects.toThrow("faces test: image 100 of 100");
  });

  it("goes on where a drawing was cut short, with the same bytes", async () => {
    const set = drawnSet(plan, { folder });
    const whole = await all(set);
    const path = join(folder, `${set.hash}.u8`);
    await rename(path, `${path}.part`);
    await truncate(`${path}.part`, 1024 + 70 * bytes + 100);
    const told: number[] = [];
    expect(await all(drawnSet(plan, { folder, progress: (done) => told.push(done) }))).toEqual(whole);
    expect(told).toEqual([100]);
  });

  it("is drawn once for readers that ask at the same time, and does no harm when two sets draw one file", async () => {
    const set = drawnSet(plan, { folder });
    const [a, b, c] = await Promise.all([all(set), all(set), all(drawnSet(plan, { folder }))]);
    expect(b).toEqual(a);
    expect(c).toEqual(a);
    expect(await readdir(folder)).toEqual([`${set.hash}.u8`]);
  });

  describe("of many images", () => {
    const many: SetPlan = { ...plan, images: 122 };
    const some = [609, 3, 411, 3];
    const read = async (set: ImageSet, indices: readonly number[]) => {
      const out = new Uint8Array(indices.length * bytes);
      await set.read(indices, out);
      return out;
    };

    it("is drawn as far as it is read, and whole once most of it is wanted", async () => {
      const told: number[] = [];
      const set = drawnSet(many, { folder, progress: (done) => told.push(done) });
      const few = await read(set, some);
      expect((await readFile(join(folder, `${set.hash}.u8.drawn`))).reduce((sum, is) => sum + is, 0)).toBe(3);
      expect(told).toEqual([]);
      const whole = await all(drawnSet(many, { folder, progress: (done) => told.push(done) }));
      expect(await readdir(folder)).toEqual([`${set.hash}.u8`]);
      expect([told[0], told.at(-1)]).toEqual([3 + 64, 610]);
      for (const [i, index] of some.entries())
        expect(
          Buffer.compare(few.subarray(i * bytes, (i + 1) * bytes), whole.subarray(index * bytes, (index + 1) * bytes)),
        ).toBe(0);
      expect(Buffer.compare(await read(set, some), few)).toBe(0);
    });

    it("has what another set has drawn of it, and gives all that are asked for at once", async () => {
      const [first, second] = [drawnSet(many, { folder }), drawnSet(many, { folder })];
      const [a, b, c] = await Promise.all([read(first, some), read(first, [411, 7]), read(second, [7, 609])]);
      expect(Buffer.compare(a.subarray(2 * bytes, 3 * bytes), b.subarray(0, bytes))).toBe(0);
      expect(Buffer.compare(b.subarray(bytes), c.subarray(0, bytes))).toBe(0);
      expect(Buffer.compare(c.subarray(bytes), a.subarray(0, bytes))).toBe(0);
    });
  });

  it("has another hash for anything that changes an image", () => {
    const hash = (change: Partial<Recipe>, rest: Partial<SetPlan> = {}) =>
      drawnSet({ ...plan, ...rest, recipe: { ...recipe, ...change } }, { folder }).hash;
    const changes: Partial<Recipe>[] = [
      { seed: 4 },
      { variation: 0.5 },
      { range: "private" },
      { part: "x" },
      { size: 64 },
    ];
    const hashes = [hash({}), ...changes.map((change) => hash(change)), hash({}, { images: 21 })];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hash({}, { name: "another name" })).toBe(hashes[0]);
  });
});
