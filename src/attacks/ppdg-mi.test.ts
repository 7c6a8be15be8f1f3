import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { memoryWork } from "../../test/support/memory-work.ts";
import { changedTensors } from "../../test/support/same-bits.ts";
import { IDENTITIES, type TinyWorld, tinyModel, tinyWorld, trainedTarget } from "../../test/support/tiny-world.ts";
import { UserError } from "../engine/errors.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched, type Work } from "../engine/work.ts";
import { classifierPredictor } from "../models/predict.ts";
import { DISCRIMINATOR } from "../priors/prior.ts";
import { synthesize } from "../priors/synthesize.ts";
import { type Attack, priorKind } from "./attack.ts";
import { openTuner, tuningSettings } from "./generator-tuning.ts";
import { ppdgMi } from "./ppdg-mi.ts";
import { runAttack } from "./run-attack.ts";
import { type StyleSpace, searchSpace } from "./space.ts";

const attack = ppdgMi as unknown as Attack;
let world: TinyWorld;
let state: StateDict;

beforeAll(async () => {
  world = await tinyWorld();
  state = await trainedTarget();
});

const settings = (change: object = {}) =>
  z.strictObject(tuningSettings).parse({
    inversionIterations: 120,
    inversionRate: 0.1,
    tuningIterations: 40,
    tuningRate: 3e-3,
    ...change,
  });

describe.each([
  ["latents", "dcgan", undefined],
  ["styles", "stylegan", { styles: "w+", truncation: 1 }],
] as const)("a generator that is tuned through %s", (_, kind, styles: StyleSpace | undefined) => {
  const count = 2;
  /** Images that the world's generator makes, but brighter than it ever does. */
  const aims = async () => {
    const { dcgan } = world.priors;
    const latents = Float32Array.from({ length: count * dcgan.networks.latent }, (_, i) => 0.5 * Math.sin(3 * i + 1));
    return (await synthesize(dcgan, latents)).map((x) => Math.min(1, x + 0.15));
  };
  const tuned = async (change: object = {}, work: Work = unwatched) => {
    const prior = world.priors[kind];
    const space = searchSpace(prior, prior.networks.image, styles);
    const tuner = await openTuner({ prior, space, styles, count, settings: settings(change), seed: 1 });
    const result = await tuner.tune({ prior, images: await aims(), seed: 2, work });
    const again = await tuner.tune({ prior, images: await aims(), seed: 2, work: unwatched });
    await tuner.release();
    await space.release();
    return { prior, result, again };
  };

  test("makes such images, from latents that made others before, and only its own weights change", async () => {
    const work = memoryWork();
    const { prior, result } = await tuned({}, work);
    const losses = work.steps.map(({ loss }) => loss!);
    expect(losses.length).toBe(160);
    const [before, after] = [losses[120]!, losses.at(-1)!];
    expect(after).toBeLessThan(0.5 * before);
    const changed = changedTensors(prior.state, result.state);
    expect(changed.length).toBeGreaterThan(3);
    expect(changed.filter((name) => name.startsWith(DISCRIMINATOR) || name.includes("running"))).toEqual([]);
  });

  test("begins with the given one each time", async () => {
    const { result, again } = await tuned({ inversionIterations: 5, tuningIterations: 3 });
    expect(changedTensors(result.state, again.state)).toEqual([]);
  });

  test.each(["mmd", "ct"] as const)("comes nearer by %s too", async (distance) => {
    const work = memoryWork();
    await tuned({ distance, inversionIterations: 40 }, work);
    const losses = work.steps.map(({ loss }) => loss!);
    expect(losses.at(-1)!).toBeLessThan(losses[40]!);
  });
});

test("what it is built on chooses the prior", () => {
  expect(priorKind(attack, ppdgMi.config.parse({}))).toBe("stylegan");
  expect(priorKind(attack, ppdgMi.config.parse({ base: "gmi" }))).toBe("dcgan");
});

const onGmi = (base: object) =>
  runAttack({
    attack,
    model: tinyModel(),
    state,
    prior: world.priors.dcgan,
    identities: Array.from({ length: IDENTITIES }, (_, i) => i),
    perIdentity: 2,
    config: ppdgMi.config.parse({
      base: { kind: "gmi", iterations: 60, rate: 0.5, batch: 16, ...base },
      pseudoPrivate: 2,
      inversionIterations: 40,
      inversionRate: 0.05,
      tuningIterations: 20,
    }),
    seed: 4,
    work: unwatched,
  });

test("on GMI it finds identities, as images", async () => {
  const { rows, labels } = await onGmi({});
  const judge = await classifierPredictor(tinyModel(), state);
  const { logits } = await judge.predict(rows, labels.length);
  await judge.release();
  const seen = [...labels].filter((label, i) => {
    const row = logits.subarray(i * IDENTITIES, (i + 1) * IDENTITIES);
    return row.indexOf(Math.max(...row)) === label;
  });
  expect(seen.length / labels.length).toBeGreaterThan(0.8);
});

test("fewer candidates than pseudo-private images are the user's mistake", async () => {
  await expect(onGmi({ candidates: 1 })).rejects.toThrow(UserError);
});
