import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { memoryWork, runWithInterruptions } from "../../test/support/memory-work.ts";
import { changedTensors } from "../../test/support/same-bits.ts";
import {
  IDENTITIES,
  IMAGE,
  type TinyWorld,
  tinyModel,
  tinyWorld,
  trainedTarget,
} from "../../test/support/tiny-world.ts";
import { input, type Value } from "../engine/graph.ts";
import { softmax } from "../engine/ops/activation.ts";
import { mul } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { random } from "../engine/random.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched, type Work } from "../engine/work.ts";
import { classifierPredictor, predictSet } from "../models/predict.ts";
import { openTarget, type WhiteBox } from "./access.ts";
import { identityRows } from "./lomma.ts";
import { queryMeter } from "./queries.ts";
import { openSurrogates, surrogateSettings, surrogatesWanted, trainSurrogates } from "./surrogates.ts";

const settings = z.strictObject(surrogateSettings).parse({
  featureWeight: 1,
  students: {
    models: [
      { kind: "resnet10", width: 4 },
      { kind: "resnet18", width: 4 },
    ],
    training: { epochs: 6, batch: 16, rate: 0.05 },
  },
});

let world: TinyWorld;
let state: StateDict;
let target: WhiteBox;

beforeAll(async () => {
  world = await tinyWorld();
  state = await trainedTarget();
  const opened = openTarget("white-box", tinyModel(), state, queryMeter());
  target = opened.target;
  return () => opened.release();
});

const learn = (work: Work = unwatched) =>
  trainSurrogates({ settings, model: tinyModel(), state, images: world.public, seed: 3, work });

describe("what is learnt of a target from public images", () => {
  test("is the mean of its features, and students that are nearer to its answers than uniform guesses", async () => {
    const learnt = openSurrogates(settings, tinyModel(), await learn());
    const net = await classifierPredictor(tinyModel(), state);
    const { features, logits } = await predictSet(net, world.public);
    await net.release();
    const width = learnt.meanFeatures.length;
    const mean = Array.from({ length: width }, (_, j) => {
      let sum = 0;
      for (let i = 0; i < world.public.size; i++) sum += features[i * width + j]!;
      return sum / world.public.size;
    });
    expectAllClose(learnt.meanFeatures, mean, { relative: 1e-4, absolute: 1e-6 });

    const count = 64;
    const bytes = new Uint8Array(count * 3 * 16 * 16);
    const indices = Array.from({ length: count }, (_, i) => 2 * i);
    await world.public.read(indices, bytes);
    const images = Float32Array.from(bytes, (b) => b / 255);
    const seen = Float32Array.from(indices.flatMap((i) => [...logits.subarray(i * IDENTITIES, (i + 1) * IDENTITIES)]));
    const x = input("x", [count, ...IMAGE]);
    const soft = softmax(input("seen", [count, IDENTITIES]));
    const divergence = (answers: Value) => evaluate(crossEntropy(answers, soft), { x: images, seen });
    expect(learnt.students.length).toBe(2);
    for (const student of learnt.students) {
      const [guessed] = await divergence(mul(student(x), 0));
      expect((await divergence(student(x)))[0]!).toBeLessThan(0.9 * guessed!);
    }
  });

  test("is the same when it is interrupted and resumed", async () => {
    const unbroken = memoryWork();
    const wanted = await learn(unbroken);
    const resumed = await runWithInterruptions([5, 45], learn);
    expect(changedTensors(wanted, resumed.result)).toEqual([]);
    expect(resumed.work.rows).toEqual(unbroken.rows);
  });
});

test("settings that want nothing ask for nothing", () => {
  expect(surrogatesWanted(z.strictObject(surrogateSettings).parse({}))).toBeUndefined();
  expect(surrogatesWanted({ featureWeight: 1 })).toEqual({ featureWeight: 1 });
});

test("the loss is the mean over target and students, and the features' distance from the public mean, as by hand", async () => {
  const n = 2;
  const images = random(1, "images").uniforms(n * 3 * 16 * 16);
  const x = input("x", [n, ...IMAGE]);
  const judged = target.judge(x);
  const student = (scale: number) => (v: Value) => mul(target.logits(v), scale);
  const width = judged.features.shape[1]!;
  const meanFeatures = random(1, "mean").normals(width);
  const wanted = Float32Array.from({ length: n * IDENTITIES }, (_, i) => (i === 3 || i === IDENTITIES + 1 ? 1 : 0));
  const rows = (featureWeight: number | undefined, students: ((v: Value) => Value)[]) =>
    evaluate(
      identityRows(
        target,
        { meanFeatures, students },
        { identityLoss: "logit", featureWeight },
        x,
        input("wanted", [n, IDENTITIES]),
      ),
      { x: images, wanted },
    );
  const logits = await evaluate(judged.logits, { x: images });
  const features = await evaluate(judged.features, { x: images });
  const own = [-logits[3]!, -logits[IDENTITIES + 1]!];
  expectAllClose(await rows(undefined, []), own, { relative: 1e-5 });
  expectAllClose(
    await rows(undefined, [student(2), student(-4)]),
    own.map((l) => (l + 2 * l - 4 * l) / 3),
    { relative: 1e-4 },
  );
  const distance = [0, 1].map((i) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += (features[i * width + j]! - meanFeatures[j]!) ** 2;
    return sum / width;
  });
  expectAllClose(
    await rows(0.5, []),
    own.map((l, i) => l + 0.5 * distance[i]!),
    { relative: 1e-4 },
  );
});
