import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { random } from "../engine/random.ts";
import type { ImageSet } from "./dataset.ts";
import { folder } from "./folder.ts";
import { indicesByClass } from "./subset.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tldmi-folder-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Writes an image of random pixels that belong to its path. */
async function image(path: string): Promise<void> {
  const full = join(root, path);
  await mkdir(dirname(full), { recursive: true });
  const stream = random(1, path);
  const pixels = Uint8Array.from({ length: 20 * 16 * 3 }, () => stream.int(256));
  await sharp(pixels, { raw: { width: 20, height: 16, channels: 3 } }).toFile(full);
}

/** Private: ann and bob with five images each; public: two others with four and one. */
async function smallStudy(): Promise<void> {
  for (const name of ["ann", "bob"]) for (let i = 0; i < 5; i++) await image(`private/${name}/${i}.png`);
  for (let i = 0; i < 4; i++) await image(`public/eve/${i}.jpg`);
  await image("public/max/0.webp");
}

interface Told {
  progress: string[];
}

function load(settings: object = {}, told: Told = { progress: [] }, cache = "cache") {
  const paths = { private: join(root, "private"), public: join(root, "public"), size: 8, ...settings };
  const progress = (done: number, total: number, what: string) => told.progress.push(`${what} ${done}/${total}`);
  return folder.load(folder.config.parse(paths), { cacheDir: join(root, cache), seed: 5, progress });
}

async function pixels(set: ImageSet): Promise<Buffer> {
  const out = Buffer.alloc(set.size * set.channels * set.height * set.width);
  await set.read(
    Array.from({ length: set.size }, (_, i) => i),
    out,
  );
  return out;
}

async function cacheFiles(): Promise<string[]> {
  return readdir(join(root, "cache")).catch(() => []);
}

describe("folder", () => {
  test("gives the three private parts, the public set and a labelled pre-training set", async () => {
    await smallStudy();
    const data = await load();
    const { train, validation, test: held } = data.private;
    expect([train, validation, held].map((set) => indicesByClass(set).map((images) => images.length))).toEqual([
      [3, 3],
      [1, 1],
      [1, 1],
    ]);
    expect(train.classes).toEqual(["ann", "bob"]);
    expect([train.channels, train.height, train.width]).toEqual([3, 8, 8]);
    expect(train.name).toBe("folder private train");
    expect(data.public.size).toBe(5);
    expect(data.public.classes).toEqual(["eve", "max"]);
    expect(indicesByClass(data.pretraining.train).map((images) => images.length)).toEqual([3, 1]);
    expect(indicesByClass(data.pretraining.test).map((images) => images.length)).toEqual([1, 0]);
    expect(data.evaluation.hash).toBe(train.hash);
  });

  test("decodes once: a second load reads the cache, and gives the same bytes and hashes", async () => {
    await smallStudy();
    const told: Told = { progress: [] };
    const first = await load({}, told);
    expect(told.progress).toContain("decoding folder private 0/10");
    expect(told.progress).toContain("decoding folder public 5/5");
    expect((await cacheFiles()).map((name) => name.replace(/-.*\./, "."))).toEqual([
      "folder.json",
      "folder.json",
      "images.u8",
      "images.u8",
    ]);
    const again: Told = { progress: [] };
    const second = await load({}, again);
    expect(again.progress).toEqual([]);
    expect(second.private.train.hash).toBe(first.private.train.hash);
    expect((await pixels(second.public)).equals(await pixels(first.public))).toBe(true);
  });

  test("the hash is that of the pixels: the same for a copy elsewhere, another for a changed image", async () => {
    await smallStudy();
    const before = await load();
    await cp(join(root, "public"), join(root, "copy"), { recursive: true });
    expect((await load({ public: join(root, "copy") })).public.hash).toBe(before.public.hash);
    await image("public/other/1.png");
    await rename(join(root, "public", "other", "1.png"), join(root, "public", "eve", "1.jpg"));
    await rm(join(root, "public", "other"), { recursive: true });
    expect((await load()).public.hash).not.toBe(before.public.hash);
  });

  test("a cache that was cut or damaged is made again", async () => {
    await smallStudy();
    const before = await load();
    const bytes = await pixels(before.public);
    for (const name of await cacheFiles()) {
      if (name.endsWith(".u8")) await truncate(join(root, "cache", name), 10);
    }
    const mended = await load();
    expect((await pixels(mended.public)).equals(bytes)).toBe(true);
    for (const name of await cacheFiles()) {
      if (name.endsWith(".json")) await writeFile(join(root, "cache", name), "{ half");
    }
    expect((await load()).private.test.hash).toBe(before.private.test.hash);
  });

  test("settings that change the pixels have a cache of their own", async () => {
    await smallStudy();
    const colour = await load();
    const grey = await load({ channels: 1 });
    const stretched = await load({ crop: "none" });
    expect(grey.public.channels).toBe(1);
    expect(new Set([colour, grey, stretched].map((data) => data.public.hash)).size).toBe(3);
  });

  test("the split follows the seed and the shares", async () => {
    await smallStudy();
    const hashOf = async (settings: object) => (await load(settings)).private.test.hash;
    expect(await hashOf({ seed: 5 })).toBe(await hashOf({}));
    const others = await Promise.all([1, 2, 3, 4].map((seed) => hashOf({ seed })));
    expect(new Set(others).size).toBeGreaterThan(1);
    expect((await load({ split: { test: 0.4 } })).private.test.size).toBe(4);
  });

  test("takes a flat public folder with a pre-training folder of its own, and an evaluation folder", async () => {
    await smallStudy();
    for (let i = 0; i < 3; i++) {
      await image(`flat/${i}.png`);
      await image(`more/ann/${i}.png`);
      await image(`more/bob/${i}.png`);
    }
    const data = await load({
      public: join(root, "flat"),
      pretraining: join(root, "public"),
      evaluation: join(root, "more"),
    });
    expect(data.public.classes).toEqual(["public"]);
    expect(data.public.size).toBe(3);
    expect(data.pretraining.train.classes).toEqual(["eve", "max"]);
    expect(data.evaluation.size).toBe(6);
    // Enough where start weights come from a file; a study that trains them refuses one class.
    const unlabelled = await load({ public: join(root, "flat") });
    expect(unlabelled.pretraining.train.classes).toEqual(["public"]);
  });

  test("a corrupt image is named and leaves nothing half-written", async () => {
    await smallStudy();
    const path = join(root, "private", "bob", "3.png");
    await truncate(path, (await readFile(path)).length >> 1);
    const loading = load();
    await expect(loading).rejects.toBeInstanceOf(UserError);
    await expect(loading).rejects.toThrow(`${path}: cannot be read as an image:`);
    expect(await cacheFiles()).toEqual([]);
  });

  test("stops between two groups of images when it is told to, and leaves nothing half-written", async () => {
    await smallStudy();
    const stop = new AbortController();
    const told: string[] = [];
    const progress = (done: number, _total: number, what: string) => {
      told.push(`${what} ${done}`);
      if (done === 4) stop.abort();
    };
    const paths = { private: join(root, "private"), public: join(root, "public"), size: 8 };
    const context = { cacheDir: join(root, "cache"), seed: 5, progress, signal: stop.signal };
    await expect(folder.load(folder.config.parse(paths), context)).rejects.toMatchObject({ name: "AbortError" });
    expect(told).toEqual(["decoding folder private 0", "decoding folder private 4"]);
    expect(await cacheFiles()).toEqual([]);
  });

  test("refuses folders that make the study worthless", async () => {
    await smallStudy();
    await image("few/ann/0.png");
    await image("few/ann/1.png");
    await mkdir(join(root, "public", "nobody"));
    await expect(load()).rejects.toThrow("class 'nobody' has no image");
    await rm(join(root, "public", "nobody"), { recursive: true });
    await expect(load({ private: join(root, "few") })).rejects.toThrow("has one class ('ann')");
    await image("few/bob/0.png");
    await expect(load({ private: join(root, "few") })).rejects.toThrow(
      "folder private: class 'ann' has 2 images, but at least 3 are needed",
    );
    await expect(load({ private: join(root, "absent") })).rejects.toThrow("absent does not exist");
    await expect(load({ public: join(root, "private") })).rejects.toThrow("overlap; they must be apart");
    await expect(load({ public: root })).rejects.toThrow("overlap; they must be apart");
    await expect(load({ evaluation: join(root, "few") })).resolves.toBeDefined();
    await image("few/carl/0.png");
    await expect(load({ evaluation: join(root, "few") })).rejects.toThrow("'carl' is not one of them");
  });

  test("refuses a public folder that shows a private image, under whatever name", async () => {
    await smallStudy();
    const copy = join(root, "public", "eve", "innocent.png");
    await cp(join(root, "private", "ann", "2.png"), copy);
    await utimes(copy, 1, 1);
    await expect(load()).rejects.toThrow(
      `public: the public set holds 1 of the private images (first: ${join("eve", "innocent.png")} shows the same as ${join(root, "private", "ann", "2.png")})`,
    );
  });

  test("refuses evaluation images that the evaluation model is tested or selected on, or that the attacker has", async () => {
    await smallStudy();
    // One image of each person is drawn for the test, one for validation, three for training.
    for (const name of ["ann", "bob"]) await image(`more/${name}/new.png`);
    const copies = async (from: string) => {
      const refused: string[] = [];
      for (let i = 0; i < 5; i++) {
        const copy = join(root, "more", "ann", "copy.png");
        await cp(join(root, from, `${i}.png`), copy);
        await utimes(copy, i + 1, i + 1);
        const found = await load({ evaluation: join(root, "more") }).catch((error: UserError) => error);
        if (!(found instanceof UserError)) continue;
        const [, what] = /the (.+) set holds 1 of the (.+) images/.exec(found.message)!.slice(1);
        refused.push(what!);
        expect(found.message).toContain(
          `more: the evaluation set holds 1 of the ${what} images (first: ${join("ann", "copy.png")} shows the same as ${join(root, from, `${i}.png`)}`,
        );
      }
      return refused.sort();
    };
    expect(await copies(join("private", "ann"))).toEqual(["private test", "private validation"]);
    await cp(join(root, "more", "ann", "new.png"), join(root, "public", "max", "1.png"));
    await rm(join(root, "more", "ann", "copy.png"));
    await expect(load({ evaluation: join(root, "more") })).rejects.toThrow(
      `the public set holds 1 of the evaluation images (first: ${join("max", "1.png")} shows the same as ${join(root, "more", "ann", "new.png")})`,
    );
  });

  test("the settings have defaults and refuse shares that leave nothing to train on", () => {
    const parsed = folder.config.parse({ private: "a", public: "b" });
    expect(parsed).toEqual({
      private: "a",
      public: "b",
      size: 64,
      channels: 3,
      crop: "center",
      split: { validation: 0.1, test: 0.1 },
    });
    expect(folder.config.safeParse({ private: "a", public: "b", split: { validation: 0.5, test: 0.5 } }).success).toBe(
      false,
    );
    expect(folder.config.safeParse({ private: "a" }).success).toBe(false);
  });
});
