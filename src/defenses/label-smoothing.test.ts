import { beforeAll, describe, expect, test } from "vitest";
import { memoryWork } from "../../test/support/memory-work.ts";
import { changedTensors } from "../../test/support/same-bits.ts";
import { IDENTITIES, TINY_TRAINING, type TinyWorld, tinyModel, tinyWorld } from "../../test/support/tiny-world.ts";
import { UserError } from "../engine/errors.ts";
import { crossEntropyRows } from "../engine/ops/loss.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import { initialState } from "../models/bind.ts";
import { logitsLayer, splitAt, weightsOf } from "../models/model.ts";
import { classifierPredictor, predictSet } from "../models/predict.ts";
import { classification, oneHotTargets, train } from "../models/train.ts";
import { type ChosenDefense, composeDefenses } from "./compose.ts";
import type { Defense } from "./defense.ts";
import { labelSmoothing, lateSmoothing } from "./label-smoothing.ts";
import { tlDmi } from "./tl-dmi.ts";
import { trainTarget } from "./train-target.ts";

const model = tinyModel();
let world: TinyWorld;

beforeAll(async () => {
  world = await tinyWorld();
});

const smoothing = (config: object): ChosenDefense => ({
  member: labelSmoothing as Defense,
  config: labelSmoothing.config.parse(config),
});
const freezing = (freeze: string): ChosenDefense => ({
  member: tlDmi as Defense,
  config: tlDmi.config.parse({ freeze }),
});

/** −log softmax of each logit, in double precision. */
function surprises(logits: Float32Array, row: number): number[] {
  const own = [...logits.subarray(row * IDENTITIES, (row + 1) * IDENTITIES)];
  const total = Math.log(own.reduce((sum, x) => sum + Math.exp(x), 0));
  return own.map((x) => total - x);
}

test("the late schedule of 100 epochs is that of the paper's code, and no epoch before 75 may be kept", () => {
  const { share, settled } = lateSmoothing(-0.05);
  const published = (epoch: number) => (epoch < 50 ? 0 : epoch < 75 ? (-0.05 * (epoch - 49)) / (100 - 50) : -0.05);
  for (let epoch = 0; epoch < 100; epoch++)
    expect(share(epoch, 100), `epoch ${epoch}`).toBeCloseTo(published(epoch), 12);
  expect(settled(100)).toBe(75);
});

test("in short runs the late schedule never exceeds alpha", () => {
  const shares = (epochs: number) => Array.from({ length: epochs }, (_, e) => lateSmoothing(-0.1).share(e, epochs));
  expect(shares(1)).toEqual([-0.1]);
  expect(shares(2)).toEqual([0, -0.1]);
  expect(shares(3)).toEqual([0, 0, -0.1]);
  expect(shares(4)).toEqual([0, 0, -0.05, -0.1]);
});

test.each([-0.3, 0.4])("the loss for alpha %d is (1 − α)·(−log p_y) + α·mean(−log p)", async (alpha) => {
  // Behind frozen stages the head sees the same features in training and afterwards, so the first step's loss can be computed.
  const last = model.stages.at(-1)!.name;
  const { recipe } = composeDefenses(model, [freezing(last), smoothing({ alpha, schedule: "constant" })]);
  const pretrained = initialState(weightsOf(model), 5);
  const work = memoryWork();
  const start = await trainTarget({
    work,
    model,
    recipe,
    pretrained,
    train: world.train,
    validation: world.validation,
    settings: { ...TINY_TRAINING, batch: world.train.size, epochs: 1, rate: 1e-30, weightDecay: 0 },
    seed: 3,
  });
  const net = await classifierPredictor(model, start);
  const { logits } = await predictSet(net, world.train);
  await net.release();
  let wanted = 0;
  for (const [row, label] of world.train.labels.entries()) {
    const s = surprises(logits, row);
    wanted += ((1 - alpha) * s[label]! + (alpha * s.reduce((a, b) => a + b, 0)) / IDENTITIES) / world.train.size;
  }
  expect(work.steps[0]!.loss!).toBeCloseTo(wanted, 4);
});

describe("the epoch that is kept", () => {
  /** Scored by its own loss: the first epoch is the best. */
  const kept = (settled: number, judged: boolean): Promise<StateDict> =>
    train({
      work: unwatched,
      name: "tiny",
      trained: splitAt(model, null).rest,
      start: initialState(logitsLayer(model).weights, 1),
      objective: { ...classification, score: crossEntropyRows },
      targets: oneHotTargets(IDENTITIES),
      train: world.train,
      ...(judged && { validation: world.validation }),
      settings: { ...TINY_TRAINING, epochs: 3 },
      smoothing: { share: () => 0, settled: () => settled },
      seed: 3,
    });

  test("is the best of those whose targets are smoothed in full", async () => {
    const [free, held, last] = [await kept(0, true), await kept(2, true), await kept(0, false)];
    expect(changedTensors(free, last)).not.toEqual([]);
    expect(changedTensors(held, last)).toEqual([]);
  });

  test("is the last one where training ends before", async () => {
    expect(changedTensors(await kept(9, true), await kept(0, false))).toEqual([]);
  });
});

test("smoothing by the training settings as well is refused", async () => {
  const { recipe } = composeDefenses(model, [smoothing({})]);
  const settings = { ...TINY_TRAINING, labelSmoothing: 0.1 };
  const pretrained = initialState(weightsOf(model), 5);
  const { train, validation } = world;
  const refused = trainTarget({ work: unwatched, model, recipe, pretrained, train, validation, settings, seed: 3 });
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(/training\.labelSmoothing is 0\.1 .* leave one of them out/);
});
