import { beforeAll, describe, expect, test } from "vitest";
import { openTarget, type ScoresAccess } from "../../src/attacks/access.ts";
import { type Attack, priorKind, type Reconstructions } from "../../src/attacks/attack.ts";
import { attacks } from "../../src/attacks/index.ts";
import { trainLabelSurrogates } from "../../src/attacks/label-surrogates.ts";
import { queryMeter } from "../../src/attacks/queries.ts";
import { outcomeSpaceOf, runAttack, spaceOf } from "../../src/attacks/run-attack.ts";
import { type Embedding, trainScoreMap } from "../../src/attacks/score-map.ts";
import { labelsOf, selectInitial } from "../../src/attacks/selection.ts";
import { searchSpace } from "../../src/attacks/space.ts";
import { trainSurrogates } from "../../src/attacks/surrogates.ts";
import { UserError } from "../../src/engine/errors.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { DivergedError, unwatched, type Work } from "../../src/engine/work.ts";
import { hits } from "../../src/metrics/top-k.ts";
import { classifierPredictor, type Predictor } from "../../src/models/predict.ts";
import { memoryWork, runWithInterruptions } from "../support/memory-work.ts";
import { once } from "../support/once.ts";
import { sameBits } from "../support/same-bits.ts";
import {
  IDENTITIES,
  IMAGE,
  pretrainedWeights,
  type TinyWorld,
  tinyModel,
  tinyWorld,
  trainedTarget,
  trainTiny,
} from "../support/tiny-world.ts";
import { PER_IDENTITY, quick, ROWS, type Settings } from "./quick-attacks.ts";

const identities = Array.from({ length: IDENTITIES }, (_, i) => i);

/** LOMMA's students, at the world's size. */
const students = { models: [{ kind: "resnet10", width: 4 }], training: { epochs: 4, batch: 16, rate: 0.05 } };

let world: TinyWorld;
let state: StateDict;
/** What the target could have started from. */
let publicWeights: StateDict;
let scored: ScoresAccess;
/** What was learnt of the target for LOMMA: the same for all attacks. */
let surrogates: StateDict | undefined;
/** What was learnt of the target's scores, the same for all runs, and the public network that it leads to. */
let scoreMap: { readonly surrogates: StateDict; readonly embedding: Embedding } | undefined;
/** What was learnt of its labels. */
let copies: StateDict | undefined;
let judge: Predictor<"logits" | "features">;

beforeAll(async () => {
  world = await tinyWorld();
  state = await trainedTarget();
  publicWeights = await pretrainedWeights();
  const opened = openTarget("scores", tinyModel(), state, queryMeter());
  scored = opened.target;
  const model = tinyModel("evaluation");
  judge = await classifierPredictor(model, await trainTiny(model, world.evaluation, 2));
  return async () => {
    await judge.release();
    await opened.release();
  };
});

/** Logits or probabilities of images, in the eyes of the evaluation model or of the target. */
const eyes = {
  evaluation: async (images: Float32Array, count: number) => (await judge.predict(images, count)).logits,
  target: (images: Float32Array) => scored.scores(images),
};

describe.each(attacks as readonly Attack[])("$kind", (attack) => {
  const {
    config,
    short,
    counted,
    queries,
    diverging,
    poolViews = 1,
    leastPool = 0,
    lowers = 0.5,
    recognisedBy = "evaluation",
    steps = Number(config.iterations),
  } = quick[attack.kind as keyof typeof quick];
  const priorOf = () => {
    const kind = priorKind(attack, resolved());
    return kind === null ? undefined : world.priors[kind];
  };
  const resolved = (change: Settings = {}) => attack.config.parse({ ...config, ...change });
  const space = () => spaceOf(attack, tinyModel(), priorOf(), resolved());
  const outcome = () => outcomeSpaceOf(attack, tinyModel(), priorOf(), resolved());
  const who = { identities, perIdentity: PER_IDENTITY };
  const mapped = async (settings: Record<string, unknown>) => {
    const wanted = attack.scoreMap?.(settings);
    if (wanted === undefined) return {};
    const embedding = scoreMap?.embedding ?? {
      model: tinyModel(),
      state: await trainTiny(tinyModel(), world.public, 3),
    };
    const common = { settings: wanted, model: tinyModel(), state, embedding, images: world.crowd, seed: 6 };
    scoreMap ??= { embedding, surrogates: await trainScoreMap({ ...common, work: unwatched }) };
    return scoreMap;
  };
  beforeAll(async () => {
    const settings = attack.labelSurrogates?.(resolved());
    if (settings === undefined) return;
    const { target, release } = openTarget("labels", tinyModel(), state, queryMeter());
    copies = await trainLabelSurrogates({
      settings,
      shape: tinyModel(),
      target,
      prior: priorOf()!,
      images: world.crowd,
      seed: 6,
      work: unwatched,
    });
    await release();
  });
  const run = async (work: Work, change: Settings = {}, seed = 4, perIdentity = PER_IDENTITY) => {
    const prior = priorOf();
    return runAttack({
      ...(await mapped(resolved(change))),
      attack,
      model: tinyModel(),
      state,
      ...(prior && { prior }),
      publicWeights,
      ...(attack.labelSurrogates && copies && { surrogates: copies }),
      identities,
      perIdentity,
      config: resolved(change),
      seed,
      work,
    });
  };
  const watched = (change: Settings) =>
    once(async () => {
      const work = memoryWork();
      return { work, found: await run(work, change) };
    });
  /** A run that finds identities, and one that is only started: several tests look at them. */
  const [whole, started] = [watched({}), watched(short)];
  /** Share of rows in whose images the attacked identity is seen first. */
  const attackAccuracy = async ({ rows, labels }: Reconstructions, of = outcome()): Promise<number> => {
    const seen = await eyes[recognisedBy](await of.render(rows, labels), labels.length);
    return hits(seen, labels, IDENTITIES, 1).reduce((sum, hit) => sum + hit, 0) / labels.length;
  };
  const has = (key: string) => key in attack.config.shape;

  test("finds identities that neither random rows of its space nor the best of a pool show", async () => {
    const { found } = await whole();
    const pool = await selectInitial({ ...who, target: scored, space: space(), pool: 8, seed: 3 });
    const random = { rows: await space().draw(ROWS, 5, "floor"), labels: found.labels };
    const reached = await attackAccuracy(found);
    expect(reached, "over random rows").toBeGreaterThan((await attackAccuracy(random, space())) + 0.4);
    expect(reached, "over the best of a pool").toBeGreaterThan((await attackAccuracy(pool, space())) + 0.3);
  });

  test("gives the asked number of rows for each identity, in order and within the clamp", async () => {
    const found = await run(unwatched, { ...short, ...(has("clamp") && { clamp: 0.5 }) });
    expect(found.labels).toEqual(labelsOf(identities, PER_IDENTITY));
    expect(found.rows.length).toBe(ROWS * outcome().width);
    if (has("clamp")) expect(Math.max(...found.rows.map(Math.abs))).toBeLessThanOrEqual(0.5);
  });

  test("counts its queries", async () => {
    const found = counted === undefined ? (await started()).found : await run(unwatched, { ...short, ...counted });
    expect(found.queries).toEqual(queries);
  });

  const rehearsed = async (change: Settings = {}) => {
    const rows: Readonly<Record<string, number | string>>[] = [];
    let left = 0;
    const { queries } = await run(
      {
        ...unwatched,
        log: async (row) => void rows.push(row),
        rehearsal: {
          steps: 4,
          cut(loop) {
            left += loop.left * loop.asked;
          },
        },
      },
      change,
    );
    return { rows, images: queries.images + left };
  };

  test("foresees in a rehearsal what it asks", async () => {
    const { queries } = (await whole()).found;
    const { images } = await rehearsed();
    expect(images).toBeGreaterThanOrEqual(0.8 * queries.images);
    // Some end sooner than they may.
    expect(images).toBeLessThanOrEqual(1.6 * queries.images);
  });

  test.runIf(attack.kind === "rlb-mi")("learns in a rehearsal too, which is most of what it costs", async () => {
    // Of each batch's steps it takes the twentieth, which is logged.
    const { rows } = await rehearsed({ iterations: 38 });
    expect(rows).toMatchObject(Array(2).fill({ iteration: 20, critic: expect.any(Number) }));
  });

  test("repeats itself for a seed and differs for another", async () => {
    const { found: first } = await started();
    const [again, other] = [await run(unwatched, short), await run(unwatched, short, 5)];
    expect(sameBits(first.rows, again.rows)).toBe(true);
    expect(sameBits(first.rows, other.rows)).toBe(false);
  });

  test("ends with the same rows, log and queries when it is interrupted and resumed", async () => {
    const { work: unbroken, found: wanted } = await started();
    // Within the first batch, at the border of two, and soon after it.
    const resumed = await runWithInterruptions([7, 18, 3], (work) => run(work, short));
    expect(sameBits(resumed.result.rows, wanted.rows)).toBe(true);
    expect(resumed.result.queries).toEqual(wanted.queries);
    expect(resumed.work.rows).toEqual(unbroken.rows);
  });

  test.runIf(attack.access === "white-box" && lowers !== "as its base")(
    "lowers its loss on every batch of rows",
    async () => {
      const { work } = await whole();
      const lasts = work.steps.filter((_, i) => (i + 1) % steps === 0);
      const firsts = work.steps.filter((_, i) => i % steps === 0);
      expect(lasts.length).toBeGreaterThan(1);
      for (const [i, last] of lasts.entries()) expect(last.loss!).toBeLessThan(Number(lowers) * firsts[i]!.loss!);
    },
  );

  // C2F adds the best of a pool to what it starts from; its own test says what that does.
  test.runIf(has("pool") && attack.kind !== "c2f")("starts from the best of a pool where it is told to", async () => {
    const work = memoryWork();
    const fromPool = memoryWork();
    const { queries: least } = await run(work, { iterations: 1, pool: leastPool });
    const { queries: asked } = await run(fromPool, { iterations: 1, pool: 64 });
    expect(fromPool.steps[0]!.identity!).toBeLessThan(work.steps[0]!.identity!);
    // Where images depend on the class it is rendered for each.
    const pools = poolViews * (space().byClass ? IDENTITIES : 1);
    expect(asked.images - least.images, "the pool is scored once").toBe((64 - leastPool) * pools);
  });

  test.runIf(has("identityLoss")).each(["logit", "max-margin", "poincare"] as const)(
    "finds identities by the %s loss too",
    async (identityLoss) => {
      // The first two have steeper slopes than cross-entropy, so a smaller weight steps as far; Poincaré's is gentler.
      const identityWeight = identityLoss === "poincare" ? 200 : 10;
      const found = await run(unwatched, { identityLoss, ...(has("identityWeight") && { identityWeight }) });
      expect(await attackAccuracy(found)).toBeGreaterThan(0.5);
    },
  );

  test.runIf(has("students"))("finds identities by LOMMA's losses, with students of the target beside it", async () => {
    const lomma = { identityLoss: "logit", featureWeight: 1, students };
    const settings = resolved({ ...lomma, ...(has("identityWeight") && { identityWeight: 10 }) });
    const wanted = attack.surrogates!(settings)!;
    const images = world.crowd;
    surrogates ??= await trainSurrogates({
      settings: wanted,
      model: tinyModel(),
      state,
      images,
      seed: 6,
      work: unwatched,
    });
    const learnt = surrogates;
    const common = { attack, model: tinyModel(), state, prior: priorOf()!, ...who, config: settings, seed: 4 };
    const found = await runAttack({ ...common, surrogates: learnt, work: unwatched });
    expect(await attackAccuracy(found)).toBeGreaterThan(0.5);
    await expect(runAttack({ ...common, work: unwatched })).rejects.toThrow(/needs surrogates/);
  });

  test.runIf(has("align"))("finds identities by gradients averaged over copies (AlignMI), resumed or not", async () => {
    const align = { kind: "paa", samples: 2, measured: 2 };
    expect(await attackAccuracy(await run(unwatched, { align }))).toBeGreaterThan(0.5);
    const unbroken = memoryWork();
    const wanted = await run(unbroken, { ...short, align });
    expect(unbroken.rows.filter((row) => row.attack === `${attack.kind}, alignment`).length).toBe(2);
    const resumed = await runWithInterruptions([7], (work) => run(work, { ...short, align }));
    expect(sameBits(resumed.result.rows, wanted.rows)).toBe(true);
    expect(resumed.result.queries).toEqual(wanted.queries);
    expect(resumed.work.rows).toEqual(unbroken.rows);
  });

  test.runIf(has("candidates"))("keeps those of more candidates that the target recognises best", async () => {
    const few = { iterations: 10, candidates: 12, ...(leastPool > 0 && { pool: 12 }) };
    const [chosen, all] = [await run(unwatched, few), await run(unwatched, few, 4, 12)];
    expect(chosen.labels).toEqual(labelsOf(identities, PER_IDENTITY));
    expect(chosen.rows.length).toBe(ROWS * outcome().width);
    expect(await attackAccuracy(chosen)).toBeGreaterThan(await attackAccuracy(all));
    await expect(run(unwatched, { ...few, candidates: PER_IDENTITY - 1 })).rejects.toThrow(UserError);
  });

  test.runIf(diverging !== undefined)("says that it diverged where its settings are absurd", async () => {
    await expect(run(unwatched, { iterations: 10, ...diverging })).rejects.toMatchObject({
      name: "DivergedError",
      exitCode: 4,
    });
  });

  test.runIf(diverging !== undefined)(
    "hands on no rows that are not numbers, at whatever iteration they went wrong",
    async () => {
      for (const iterations of [1, 2, 3, 4]) {
        const found = await run(unwatched, { iterations, rate: 3e38 }).catch((error: unknown) => error);
        if (found instanceof DivergedError) continue;
        const { rows } = found as Reconstructions;
        expect(rows.filter(Number.isNaN), `after ${iterations} iterations`).toEqual(new Float32Array(0));
      }
    },
  );
});

test("a pool with fewer rows than reconstructions of an identity is the user's mistake", async () => {
  const space = searchSpace(world.priors.dcgan, IMAGE);
  const few = { target: scored, space, identities, perIdentity: 4, pool: 3, seed: 1 };
  await expect(selectInitial(few)).rejects.toThrow(UserError);
});
