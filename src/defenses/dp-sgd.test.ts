import { beforeAll, describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import {
  pretrainedWeights,
  TINY_TRAINING,
  type TinyWorld,
  tinyModel,
  tinyWorld,
} from "../../test/support/tiny-world.ts";
import { poissonSample } from "../data/poisson.ts";
import { grad } from "../engine/autodiff.ts";
import { UserError } from "../engine/errors.ts";
import { input } from "../engine/graph.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { seedFor } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import { initialState, trainable } from "../models/bind.ts";
import { logitsLayer, weightsOf } from "../models/model.ts";
import { composeDefenses } from "./compose.ts";
import type { Defense } from "./defense.ts";
import { dpSgd, privacyOf } from "./dp-sgd.ts";
import { defenses } from "./index.ts";
import { privacySpent } from "./rdp.ts";
import { trainTarget } from "./train-target.ts";

const model = tinyModel();
const compose = (...parts: readonly (readonly [string, object?])[]) =>
  composeDefenses(
    model,
    parts.map(([kind, config = {}]) => {
      const member = (defenses as readonly Defense[]).find((d) => d.kind === kind)!;
      return { member, config: member.config.parse(config) };
    }),
  );

let world: TinyWorld;
let pretrained: StateDict;
beforeAll(async () => {
  world = await tinyWorld();
  pretrained = await pretrainedWeights();
});

const SEED = 3;
const PLAIN = { momentum: 0, weightDecay: 0, rate: 1, schedule: "constant", batch: 12 } as const;

/** The weights after so many epochs. */
const trainedBy = (config: object, epochs: number) =>
  trainTarget({
    work: unwatched,
    model,
    recipe: compose(["dp-sgd", config]).recipe,
    pretrained,
    train: world.train,
    validation: world.validation,
    settings: { ...TINY_TRAINING, ...PLAIN, epochs },
    seed: SEED,
  });

/** What the steps of a target begin with. */
const first = (): StateDict => {
  const head = initialState(weightsOf(model), SEED);
  return { ...pretrained, "fc.weight": head["fc.weight"]!, "fc.bias": head["fc.bias"]! };
};

describe("a step of dp-sgd", () => {
  const oneStep = 1 / Math.ceil(128 / PLAIN.batch);

  test("moves weights by the sum of single images' clipped gradients over the expected batch", async () => {
    const clip = 6;
    const found = await trainedBy({ clip, noiseMultiplier: 1e-9, microbatch: 5 }, oneStep);

    // The same by a program for one image, run once an image.
    const net = trainable({ training: false });
    const logits = net.apply(logitsLayer(model), input("images", [1, ...model.input]));
    const weights = net.trained();
    const loss = crossEntropy(logits, oneHot(input("labels", [1], "int32"), model.classes));
    const outputs = Object.fromEntries(grad(loss, weights).map((g, i) => [weights[i]!.leaf!.name, g]));
    const start = first();
    const program = await compile({ outputs, store: createStore(start) });
    const wanted = new Map(weights.map((w) => [w.leaf!.name, Float64Array.from(start[w.leaf!.name]!.data)]));
    const rate = PLAIN.batch / world.train.size;
    const seed = seedFor(SEED, "target", "order");
    const lengths: number[] = [];
    const length = sizeOf(model.input);
    for await (const part of poissonSample(world.train, {
      rate,
      seed,
      step: 0,
      part: 1,
      augment: TINY_TRAINING.augment,
    })) {
      expect(part.images.length).toBe(length);
      const gradients = await program.run({ images: part.images, labels: part.labels });
      const own = Math.sqrt(
        Object.values(gradients).reduce((n, { data }) => n + (data as Float32Array).reduce((m, x) => m + x * x, 0), 0),
      );
      lengths.push(own);
      for (const [name, values] of wanted) {
        const { data } = gradients[name]!;
        for (let i = 0; i < values.length; i++) values[i]! -= (Math.min(1, clip / own) * data[i]!) / PLAIN.batch;
      }
    }
    await program.release();
    expect(lengths.length).toBeGreaterThan(5);
    expect(lengths.length, "a sample's size is random").not.toBe(PLAIN.batch);
    expect(Math.min(...lengths)).toBeLessThan(clip);
    expect(Math.max(...lengths)).toBeGreaterThan(clip);
    for (const [name, values] of wanted)
      expectAllClose(found[name]!.data, values, { relative: 1e-4, absolute: 1e-5 }, name);
  });

  test("does not depend on how many images are held at a time", async () => {
    const [few, many] = [
      await trainedBy({ microbatch: 3 }, 2 * oneStep),
      await trainedBy({ microbatch: 40 }, 2 * oneStep),
    ];
    for (const { name } of weightsOf(model))
      expectAllClose(few[name]!.data, many[name]!.data, { relative: 1e-3, absolute: 1e-4 }, name);
  });

  test("adds other noise to every weight and at every step", async () => {
    const noise = async (epochs: number) =>
      (await trainedBy({ clip: 1e-6, noiseMultiplier: 1e6 }, epochs))["fc.weight"]!.data;
    const [zero, one, two] = [first()["fc.weight"]!.data, await noise(oneStep), await noise(2 * oneStep)];
    const [a, b] = [one.map((x, i) => x - zero[i]!), two.map((x, i) => x - one[i]!)];
    const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
    expect(Math.abs(dot(a, b)) / Math.sqrt(dot(a, a) * dot(b, b))).toBeLessThan(0.25);
    expect(Math.sqrt(dot(a, a) / a.length) * PLAIN.batch).toBeCloseTo(1, 0);
  });
});

describe("a Poisson sample", () => {
  const options = { rate: 0.25, seed: 4, part: 10 };
  const sizes = async (step: number) => {
    const parts: number[] = [];
    for await (const { size } of poissonSample(world.train, { ...options, step })) parts.push(size);
    return parts;
  };

  test("has a binomial size, in full parts but for the last, and is the same for the same step", async () => {
    const counts: number[] = [];
    for (let step = 0; step < 200; step++) {
      const parts = await sizes(step);
      expect(parts.slice(0, -1).every((n) => n === 10)).toBe(true);
      counts.push(parts.reduce((a, b) => a + b, 0));
    }
    const mean = counts.reduce((a, b) => a + b) / counts.length;
    const variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / counts.length;
    const n = world.train.size;
    expect(Math.abs(mean - 0.25 * n)).toBeLessThan((4 * Math.sqrt(n * 0.25 * 0.75)) / Math.sqrt(200));
    expect(variance / (n * 0.25 * 0.75)).toBeGreaterThan(0.6);
    expect(variance / (n * 0.25 * 0.75)).toBeLessThan(1.6);
    expect(await sizes(7)).toEqual(await sizes(7));
  });

  test("may be empty or everything", async () => {
    for (const [rate, wanted] of [
      [0, 0],
      [1, world.train.size],
    ] as const) {
      let count = 0;
      for await (const { size } of poissonSample(world.train, { ...options, rate, step: 0 })) count += size;
      expect(count).toBe(wanted);
    }
  });
});

describe("the privacy of a target", () => {
  const settings = { ...TINY_TRAINING, batch: 50, epochs: 3 };

  test("counts the steps of every phase", () => {
    const { recipe } = compose(["dp-sgd", { noiseMultiplier: 2, delta: 1e-4, clip: 0.5 }]);
    const mechanism = { noiseMultiplier: 2, sampleRate: 0.05, steps: 60 };
    expect(privacyOf(recipe, settings, 1000)).toEqual({ ...mechanism, clip: 0.5, ...privacySpent(mechanism, 1e-4) });
    const steps = (...others: readonly (readonly [string, object?])[]) =>
      privacyOf(compose(["dp-sgd"], ...others).recipe, settings, 1000)!.steps;
    expect(steps(["tl-dmi", { freeze: "layer1", probeEpochs: 2 }])).toBe(100);
    expect(steps(["tts", { firstEpochs: 1 }])).toBe(60);
  });

  test("is a matter of dp-sgd alone", () => {
    expect(privacyOf(compose(["none"]).recipe, settings, 1000)).toBeUndefined();
  });

  test("of a small set sampled whole is that of the plain Gaussian mechanism", () => {
    const privacy = privacyOf(compose(["dp-sgd", { noiseMultiplier: 5 }]).recipe, settings, 20)!;
    expect(privacy).toMatchObject({ sampleRate: 1, steps: 3 });
    const orders = Array.from({ length: 4000 }, (_, i) => 1.01 + i / 100);
    const best = Math.min(
      ...orders.map((a) => (3 * a) / 50 + Math.log((a - 1) / a) - (Math.log(1e-5) + Math.log(a)) / (a - 1)),
    );
    expect(privacy.epsilon).toBeGreaterThanOrEqual(best - 1e-9);
    expect(privacy.epsilon).toBeLessThan(best * 1.01);
  });
});

test.each([
  [["mid"], /term over the whole batch/],
  [["bido-hsic"], /term over the whole batch/],
  [["none", { start: "scratch" }], /statistics of public start weights.*leave start out/],
  [["tl-dmi", { freeze: "layer1", frozenNorms: "train" }], /get no noise; use frozenNorms: eval/],
] as const)("dp-sgd with %j is refused", (other, message) => {
  const refused = () => compose(["dp-sgd"], other as readonly [string, object?]);
  expect(refused).toThrow(UserError);
  expect(refused).toThrow(message);
});

test("dp-sgd takes no noise of zero: that would have no guarantee to state", () => {
  expect(dpSgd.config.safeParse({ noiseMultiplier: 0 }).success).toBe(false);
});
