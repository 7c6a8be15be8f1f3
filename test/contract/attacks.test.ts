import { beforeAll, describe, expect, test } from "vitest";
import { type WhiteBox, whiteBox } from "../../src/attacks/access.ts";
import type { Attack, Reconstructions } from "../../src/attacks/attack.ts";
import { attacks } from "../../src/attacks/index.ts";
import { labelsOf, randomLatents, selectInitial } from "../../src/attacks/selection.ts";
import { UserError } from "../../src/engine/errors.ts";
import { input } from "../../src/engine/graph.ts";
import { DivergedError, unwatched, type Work } from "../../src/engine/work.ts";
import { hits } from "../../src/metrics/top-k.ts";
import { classifierPredictor, type Predictor } from "../../src/models/predict.ts";
import { synthesize } from "../../src/priors/synthesize.ts";
import { memoryWork, runWithInterruptions } from "../support/memory-work.ts";
import { sameBits } from "../support/same-bits.ts";
import {
  IDENTITIES,
  LATENT,
  type TinyWorld,
  tinyModel,
  tinyWorld,
  trainedTarget,
  trainTiny,
} from "../support/tiny-world.ts";

interface QuickSettings {
  /** Enough to find the identities of the tiny world. */
  readonly config: Readonly<Record<string, number>>;
  /** Settings at which the search leaves the numbers. */
  readonly diverging: Readonly<Record<string, number>>;
}

/** One entry for each attack; a missing one does not compile. */
const quick: Readonly<Record<(typeof attacks)[number]["kind"], QuickSettings>> = {
  gmi: { config: { iterations: 80, rate: 0.5, batch: 12 }, diverging: { identityWeight: 3e38 } },
  kedmi: { config: { iterations: 200, rate: 0.1, batch: 5 }, diverging: { rate: 3e38 } },
};

const PER_IDENTITY = 4;
const identities = Array.from({ length: IDENTITIES }, (_, i) => i);

let world: TinyWorld;
let target: WhiteBox;
let judge: Predictor<"logits" | "features">;

beforeAll(async () => {
  world = await tinyWorld();
  target = whiteBox(tinyModel(), await trainedTarget(world));
  const model = tinyModel("evaluation");
  judge = await classifierPredictor(model, await trainTiny(model, world.evaluation, 2));
  return () => judge.release();
});

/** Share of latents in whose images the evaluation model sees the attacked identity first. */
async function attackAccuracy({ latents, labels }: Reconstructions): Promise<number> {
  const { logits } = await judge.predict(await synthesize(world.priors.dcgan, latents), labels.length);
  return hits(logits, labels, IDENTITIES, 1).reduce((sum, hit) => sum + hit, 0) / labels.length;
}

describe.each(attacks as readonly Attack[])("$kind", (attack) => {
  const { config, diverging } = quick[attack.kind as keyof typeof quick];
  const settings = { target, identities, perIdentity: PER_IDENTITY };
  const run = (work: Work, change: Readonly<Record<string, number | string>> = {}, seed = 4) =>
    attack.run({
      ...settings,
      target,
      prior: world.priors[attack.prior],
      config: attack.config.parse({ ...config, ...change }),
      seed,
      work,
    });
  const short = { iterations: 25 };

  test("finds identities that neither random latents nor the best of a pool show", async () => {
    const work = memoryWork();
    const found = await run(work);
    const pool = await selectInitial({ ...settings, target, prior: world.priors.dcgan, pool: 8, seed: 3 });
    const random = {
      latents: randomLatents(world.priors.dcgan, found.labels.length, 5, "floor"),
      labels: found.labels,
    };
    const reached = await attackAccuracy(found);
    expect(reached, "over random latents").toBeGreaterThan((await attackAccuracy(random)) + 0.4);
    expect(reached, "over the best of a pool").toBeGreaterThan((await attackAccuracy(pool)) + 0.3);
  });

  test("gives the asked number of latents for each identity, in order and within the clamp", async () => {
    const found = await run(unwatched, { ...short, clamp: 0.5 });
    expect(found.labels).toEqual(labelsOf(identities, PER_IDENTITY));
    expect(found.latents.length).toBe(IDENTITIES * PER_IDENTITY * LATENT);
    expect(Math.max(...found.latents.map(Math.abs))).toBeLessThanOrEqual(0.5);
  });

  test("lowers its loss on every batch of latents", async () => {
    const work = memoryWork();
    await run(work);
    const lasts = work.steps.filter((_, i) => (i + 1) % config.iterations! === 0);
    const firsts = work.steps.filter((_, i) => i % config.iterations! === 0);
    expect(lasts.length).toBeGreaterThan(1);
    for (const [i, last] of lasts.entries()) expect(last.loss!).toBeLessThan(0.5 * firsts[i]!.loss!);
  });

  test("repeats itself for a seed and differs for another", async () => {
    const [first, again, other] = [
      await run(unwatched, short),
      await run(unwatched, short),
      await run(unwatched, short, 5),
    ];
    expect(sameBits(first.latents, again.latents)).toBe(true);
    expect(sameBits(first.latents, other.latents)).toBe(false);
  });

  test("ends with the same latents and rows when it is interrupted and resumed", async () => {
    const unbroken = memoryWork();
    const wanted = await run(unbroken, short);
    // Within the first batch, at the border of two, and soon after it.
    const resumed = await runWithInterruptions([7, 18, 3], (work) => run(work, short));
    expect(sameBits(resumed.result.latents, wanted.latents)).toBe(true);
    expect(resumed.work.rows).toEqual(unbroken.rows);
  });

  test("starts from the best of a pool where it is told to", async () => {
    const work = memoryWork();
    const fromPool = memoryWork();
    await run(work, { iterations: 1 });
    await run(fromPool, { iterations: 1, pool: 64 });
    expect(fromPool.steps[0]!.identity!).toBeLessThan(work.steps[0]!.identity!);
  });

  test.each(["logit", "max-margin"] as const)("finds identities by the %s loss too", async (identityLoss) => {
    // These losses have steeper slopes than cross-entropy, so a smaller weight steps as far.
    const found = await run(unwatched, { identityLoss, identityWeight: 10 });
    expect(await attackAccuracy(found)).toBeGreaterThan(0.5);
  });

  test("keeps those of more candidates that the target recognises best", async () => {
    const few = { iterations: 10 };
    const [plain, chosen] = [await run(unwatched, few), await run(unwatched, { ...few, candidates: 12 })];
    expect(chosen.labels).toEqual(plain.labels);
    expect(chosen.latents.length).toBe(plain.latents.length);
    expect(await attackAccuracy(chosen)).toBeGreaterThan(await attackAccuracy(plain));
    await expect(run(unwatched, { ...few, candidates: PER_IDENTITY - 1 })).rejects.toThrow(UserError);
  });

  test("says that it diverged where its settings are absurd", async () => {
    await expect(run(unwatched, { iterations: 10, ...diverging })).rejects.toMatchObject({
      name: "DivergedError",
      exitCode: 4,
    });
  });

  test("hands on no latents that are not numbers, at whatever iteration they went wrong", async () => {
    for (const iterations of [1, 2, 3, 4]) {
      const found = await run(unwatched, { iterations, rate: 3e38 }).catch((error: unknown) => error);
      if (found instanceof DivergedError) continue;
      const { latents } = found as Reconstructions;
      expect(latents.filter(Number.isNaN), `after ${iterations} iterations`).toEqual(new Float32Array(0));
    }
  });
});

test("a pool with fewer latents than reconstructions of an identity is the user's mistake", async () => {
  const few = { target, prior: world.priors.dcgan, identities, perIdentity: 4, pool: 3, seed: 1 };
  await expect(selectInitial(few)).rejects.toThrow(UserError);
});

test("a white-box handle tells classes, image shape and logits of a batch", () => {
  expect(target.classes).toBe(IDENTITIES);
  expect(target.logits(input("x", [2, ...target.image])).shape).toEqual([2, IDENTITIES]);
});
