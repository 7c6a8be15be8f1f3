import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faces } from "./faces.ts";

let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "faces-"));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

const small = {
  identities: 10,
  size: 32,
  train: 3,
  validation: 2,
  test: 2,
  evaluation: 4,
  public: { identities: 12, images: 2 },
  pretraining: { classes: 4, images: 10 },
  attributes: { identities: 10, images: 2 },
} as const;
const load = (change: object = {}) => faces.load(faces.config.parse({ ...small, ...change }), { cacheDir, seed: 5 });

describe("the faces source", () => {
  it("hands over the sets that its settings ask for", async () => {
    const data = await load();
    expect(data.private.train.size).toBe(30);
    expect(data.private.validation.size).toBe(20);
    expect(data.private.test.size).toBe(20);
    expect(data.evaluation.size).toBe(40);
    expect(data.evaluation.classes).toEqual(data.private.train.classes);
    expect(data.public.size).toBe(24);
    expect([data.pretraining.train.size, data.pretraining.test.size]).toEqual([32, 8]);
    const attributes = data.attributes!;
    expect([attributes.train.size, attributes.test.size]).toEqual([16, 4]);
    expect(Array.from(attributes.test.labels)).toEqual([8, 8, 9, 9]);
    expect(attributes.private.length).toBe(10);
    expect(attributes.values.length).toBe(10);
  });

  it("draws no image twice over all its sets", async () => {
    const { private: split, public: open, pretraining, evaluation, attributes } = await load();
    const sets = [split.train, split.validation, split.test, open, pretraining.train, pretraining.test, evaluation];
    const seen = new Set<string>();
    let count = 0;
    for (const set of [...sets, attributes!.train, attributes!.test]) {
      const out = new Uint8Array(set.size * 3 * 32 * 32);
      await set.read(
        Array.from({ length: set.size }, (_, i) => i),
        out,
      );
      for (let i = 0; i < set.size; i++, count++)
        seen.add(Buffer.from(out.subarray(i * 3072, i * 3072 + 3072)).toString("base64"));
    }
    expect(seen.size).toBe(count);
  });

  it("leaves the public and pre-training images alone when the private task's difficulty changes", async () => {
    const [easy, hard] = [await load({ identityDistance: 1 }), await load({ identityDistance: 0.2, family: 2 })];
    expect(hard.public.hash).toBe(easy.public.hash);
    expect(hard.pretraining.train.hash).toBe(easy.pretraining.train.hash);
    expect(hard.private.train.hash).not.toBe(easy.private.train.hash);
  });

  it("changes the public images alone with the variation of the attacker's images", async () => {
    const [same, posed] = [await load(), await load({ public: { ...small.public, variation: 0.3 } })];
    expect(posed.public.hash).not.toBe(same.public.hash);
    expect(posed.private.train.hash).toBe(same.private.train.hash);
    expect(posed.evaluation.hash).toBe(same.evaluation.hash);
  });

  it("changes the pre-training images alone with the pre-training kind", async () => {
    const kinds = ["faces", "style", "no-faces"] as const;
    const all = await Promise.all(kinds.map((kind) => load({ pretraining: { ...small.pretraining, kind } })));
    expect(new Set(all.map(({ pretraining }) => pretraining.train.hash)).size).toBe(3);
    expect(new Set(all.map((data) => data.private.train.hash)).size).toBe(1);
  });

  it("refuses settings out of range and unknown ones", () => {
    const wrong = [
      { identities: 1 },
      { identityDistance: 0 },
      { identityDistance: 1.1 },
      { variation: 2 },
      { size: 48 },
    ];
    for (const change of [...wrong, { colour: true }, { public: { people: 3 } }]) {
      expect(faces.config.safeParse({ ...small, ...change }).success, JSON.stringify(change)).toBe(false);
    }
  });
});
