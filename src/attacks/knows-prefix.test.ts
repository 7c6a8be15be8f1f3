import { beforeAll, describe, expect, test } from "vitest";
import { memoryWork, runWithInterruptions } from "../../test/support/memory-work.ts";
import { sameBits } from "../../test/support/same-bits.ts";
import { tinyJudge } from "../../test/support/tiny-judge.ts";
import { IDENTITIES, type TinyWorld, tinyModel, tinyWorld } from "../../test/support/tiny-world.ts";
import { tlDmiTarget } from "../../test/support/tl-dmi-target.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched, type Work } from "../engine/work.ts";
import { openTarget } from "./access.ts";
import type { Attack } from "./attack.ts";
import { knowsPrefix } from "./knows-prefix.ts";
import { queryMeter } from "./queries.ts";
import { runAttack } from "./run-attack.ts";
import { selectInitial } from "./selection.ts";
import { searchSpace } from "./space.ts";

const model = tinyModel();
const identities = Array.from({ length: IDENTITIES }, (_, i) => i);
const PER_IDENTITY = 4;
const ROWS = IDENTITIES * PER_IDENTITY;
let world: TinyWorld;
let state: StateDict;
let pretrained: StateDict;

beforeAll(async () => {
  world = await tinyWorld();
  ({ pretrained, state } = await tlDmiTarget(world));
});

const settings = { iterations: 80, rate: 0.5, samples: 4, shake: 0.6, publicSamples: 128, batch: 12 };
const attacked = (change: object = {}, work: Work = unwatched, publicWeights: StateDict = pretrained) =>
  runAttack({
    attack: knowsPrefix as unknown as Attack,
    model,
    state,
    prior: world.priors.dcgan,
    publicWeights,
    identities,
    perIdentity: PER_IDENTITY,
    config: knowsPrefix.config.parse({ ...settings, ...change }),
    seed: 4,
    work,
  });

describe("on a TL-DMI target", () => {
  test("finds where private learning begins, and identities that neither floor shows", async () => {
    const found = await attacked();
    expect(found.remark).toMatch(/^up to layer1\.0 its weights are the public start weights bit for bit/);

    const judge = await tinyJudge(world);
    const accuracy = (rows: Float32Array) => judge.accuracy(rows, found.labels);
    const space = searchSpace(world.priors.dcgan, model.input);
    const scored = openTarget("scores", model, state, queryMeter());
    const best = { target: scored.target, space, identities, perIdentity: PER_IDENTITY, pool: 8, seed: 3 };
    const [reached, drawn, selected] = [
      await accuracy(found.rows),
      await accuracy(await space.draw(ROWS, 5, "floor")),
      await accuracy((await selectInitial(best)).rows),
    ];
    await judge.release();
    await scored.release();
    expect(reached, "over random rows").toBeGreaterThan(drawn + 0.4);
    expect(reached, "over the best of a pool").toBeGreaterThan(selected + 0.2);
  });

  test("counts every copy that goes through the tail as a query, and the prefix as none", async () => {
    const { queries } = await attacked({ iterations: 3 });
    expect(queries).toEqual({ images: 4 * 3 * ROWS, gradients: 4 * 3 * ROWS });
    const pooled = await attacked({ iterations: 3, pool: 100 });
    expect(pooled.queries).toEqual({ images: 4 * (3 * ROWS + 100), gradients: 4 * 3 * ROWS });
  });

  test("looks for features first, which images then match", async () => {
    const work = memoryWork();
    const features = { iterations: 40, rate: 0.2 };
    const found = await attacked({ iterations: 60, features }, work);
    const judge = await tinyJudge(world);
    const [reached, drawn] = [
      await judge.accuracy(found.rows, found.labels),
      await judge.accuracy(await searchSpace(world.priors.dcgan, model.input).draw(ROWS, 5, "floor"), found.labels),
    ];
    await judge.release();
    expect(reached).toBeGreaterThan(drawn + 0.4);
    const identity = work.steps.map((step) => step.identity!);
    expect(identity[39]!, "the tail takes the features for the identity").toBeLessThan(0.2 * identity[0]!);
    expect(found.queries.images, "of both searches").toBe(4 * (40 + 60) * ROWS);
  });

  test("ends with the same rows when it is interrupted as it looks for features, and when it matches them", async () => {
    const both = { iterations: 12, features: { iterations: 8 } };
    const wanted = await attacked(both);
    const resumed = await runWithInterruptions([5, 13], (work) => attacked(both, work));
    expect(sameBits(resumed.result.rows, wanted.rows)).toBe(true);
  });

  test("ends with the same rows when it is interrupted and resumed, with copies of images beside those of features", async () => {
    const both = { iterations: 15, align: { kind: "paa", samples: 2, measured: 4 } };
    const unbroken = memoryWork();
    const wanted = await attacked(both, unbroken);
    const resumed = await runWithInterruptions([7, 18], (work) => attacked(both, work));
    expect(sameBits(resumed.result.rows, wanted.rows)).toBe(true);
    expect(resumed.work.rows).toEqual(unbroken.rows);
    const measured = unbroken.rows.filter((row) => row.attack === "knows-prefix, alignment");
    expect(measured.map((row) => row.iteration)).toEqual([0, 15]);
  });

  test("looks for features first, and then has copies of images beside those of features", async () => {
    const both = { iterations: 6, features: { iterations: 5 }, align: { kind: "paa", samples: 2 } };
    const { queries, rows } = await attacked(both);
    expect(queries.images, "of features 4 copies, of images 2 times as many").toBe(4 * (5 + 2 * 6) * ROWS);
    expect(sameBits((await attacked({ ...both, align: undefined })).rows, rows)).toBe(false);
  });
});

test("without a shake it takes the same steps whatever it knows of the target", async () => {
  const still = { iterations: 10, samples: 1, shake: 0 };
  const { rows } = await attacked(still);
  const unknown = await attacked(still, unwatched, { ...pretrained, "conv1.weight": pretrained["fc.weight"]! });
  expect(unknown.remark).toMatch(/no prefix to know/);
  expect(sameBits(unknown.rows, rows)).toBe(true);
  expect(sameBits((await attacked({ ...still, shake: 0.6 })).rows, rows)).toBe(false);
});

test("is not run without the public weights", async () => {
  const run = runAttack({
    attack: knowsPrefix as unknown as Attack,
    model,
    state,
    prior: world.priors.dcgan,
    identities,
    perIdentity: 1,
    config: knowsPrefix.config.parse({ iterations: 1 }),
    seed: 1,
    work: unwatched,
  });
  await expect(run).rejects.toThrow("knows-prefix needs the public weights that its target started from");
});
