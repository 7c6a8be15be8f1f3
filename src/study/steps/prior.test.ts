import { expect, test } from "vitest";
import { memorySet } from "../../data/memory-set.ts";
import type { PriorFamily } from "../../priors/prior.ts";
import { stylegan } from "../../priors/stylegan.ts";
import { publicPriorStep } from "./prior.ts";

const set = memorySet({
  name: "public",
  channels: 1,
  height: 1,
  width: 1,
  classes: ["a"],
  labels: Int32Array.of(0),
  bytes: new Uint8Array(1),
});
const split = { train: set, validation: set, test: set };
const data = { private: split, public: set, pretraining: split, evaluation: set };
const stepOf = (checkpoint: object | undefined) =>
  publicPriorStep({ family: stylegan as unknown as PriorFamily, settings: { latent: 4, checkpoint } }, data, 1);

test("a checkpoint counts by its digest, not by where it lies", () => {
  const sha256 = "a".repeat(64);
  const here = stepOf({ file: "of-ada/ffhq.safetensors", sha256, side: 16 });
  expect(stepOf({ file: "other/g.safetensors", sha256, side: 16 }).id).toBe(here.id);
  expect(JSON.stringify(here.spec)).not.toContain("ada");
  expect(here.spec.config).toMatchObject({ kind: "stylegan", latent: 4, checkpoint: { sha256, side: 16 } });
  expect(stepOf({ file: "of-ada/ffhq.safetensors", sha256: "b".repeat(64), side: 16 }).id).not.toBe(here.id);
});

test("one without a digest counts by its path, and settings without one are named as they are", () => {
  expect(stepOf({ file: "a", side: 16 }).id).not.toBe(stepOf({ file: "b", side: 16 }).id);
  expect(stepOf(undefined).spec.config).toEqual({ kind: "stylegan", latent: 4, seed: 1 });
});
