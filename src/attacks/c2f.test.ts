import { beforeAll, expect, test } from "vitest";
import { memoryWork } from "../../test/support/memory-work.ts";
import {
  IDENTITIES,
  type TinyWorld,
  tinyModel,
  tinyWorld,
  trainedTarget,
  trainTiny,
} from "../../test/support/tiny-world.ts";
import { UserError } from "../engine/errors.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import type { Answers } from "../models/answers.ts";
import { c2f } from "./c2f.ts";
import { runAttack } from "./run-attack.ts";
import { type Embedding, trainScoreMap } from "./score-map.ts";

let world: TinyWorld;
let state: StateDict;
let embedding: Embedding;

beforeAll(async () => {
  world = await tinyWorld();
  state = await trainedTarget();
  embedding = { model: tinyModel(), state: await trainTiny(tinyModel(), world.public, 3) };
});

const map = { hidden: 32, epochs: 10, batch: 32, rate: 0.01 };
/** The map of the target's scores, or of what its owner answers. */
const learn = (answers?: Answers) =>
  trainScoreMap({
    settings: c2f.config.parse({ map }).map,
    model: tinyModel(),
    state,
    ...(answers && { answers }),
    embedding,
    images: world.crowd,
    seed: 6,
    work: unwatched,
  });

const run = async (surrogates: StateDict, change: object) => {
  const work = memoryWork();
  await runAttack({
    attack: c2f as never,
    model: tinyModel(),
    state,
    prior: world.priors.stylegan,
    surrogates,
    embedding,
    identities: Array.from({ length: IDENTITIES }, (_, i) => i),
    perIdentity: 1,
    config: c2f.config.parse({ map, iterations: 1, batch: IDENTITIES, difference: 0, pull: 0, ...change }),
    seed: 4,
    work,
  });
  return work.steps.at(-1)!.confidence!;
};

test("the coarse search alone, which asks the target nothing, comes nearer to the identities", async () => {
  const few = { starts: 4, kept: 3, population: 3 };
  const learnt = await learn();
  const blind = await learn((p) => new Float32Array(p.length).fill(1 / IDENTITIES));
  // One short step leaves the styles where they start; what the fine search adds of its own is switched off.
  const before = await run(learnt, { ...few, coarse: 1, rate: 1e-9 });
  const after = await run(learnt, few);
  expect(after, "than where it started").toBeGreaterThan(before + 0.05);
  expect(after, "than by a map that has seen nothing").toBeGreaterThan((await run(blind, few)) + 0.05);
});

test("styles that the target likes in a shared pool join the start", async () => {
  const few = { starts: 4, kept: 3, population: 3, coarse: 1, rate: 1e-9 };
  const learnt = await learn();
  expect(await run(learnt, { ...few, pool: 64 })).toBeGreaterThan((await run(learnt, few)) + 0.05);
  await expect(run(learnt, { ...few, pool: 3 })).rejects.toThrow(/pool of 3/);
});

test("numbers that do not fit each other are the user's mistake", async () => {
  const learnt = await learn();
  await expect(run(learnt, { kept: 20 })).rejects.toThrow(UserError);
  await expect(run(learnt, { kept: 8, population: 6 })).rejects.toThrow(/kept is 8.*starts \(16\).*population \(6\)/);
});
