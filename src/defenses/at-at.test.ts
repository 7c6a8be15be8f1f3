import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { pretrainedWeights, TINY_TRAINING, tinyModel, tinyWorld } from "../../test/support/tiny-world.ts";
import { endless } from "../data/loader.ts";
import { grad } from "../engine/autodiff.ts";
import { input } from "../engine/graph.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { oneHot } from "../engine/ops/movement.ts";
import { random, seedFor } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import { initialState, trainable } from "../models/bind.ts";
import { logitsLayer, weightsOf } from "../models/model.ts";
import { wrongClasses } from "./adversarial-steps.ts";
import { atAt } from "./at-at.ts";
import { composeDefenses } from "./compose.ts";
import type { Defense } from "./defense.ts";
import { trainTarget } from "./train-target.ts";

test.each([[0], [-0.5]])(
  "a first step is one on CE(x, y) + λ·CE(x + δ, y′), with δ found by descent in plain loops; %d of y is smoothed",
  async (labelSmoothing) => {
    const model = tinyModel();
    const world = await tinyWorld();
    const pretrained = await pretrainedWeights();
    const config = { weight: 0.3, epsilon: 0.03, step: 0.02, iterations: 3, randomStart: true };
    const settings = {
      ...TINY_TRAINING,
      momentum: 0,
      weightDecay: 0,
      rate: 0.1,
      schedule: "constant",
      epochs: 1 / 8,
      labelSmoothing,
    } as const;
    const { recipe } = composeDefenses(model, [{ member: atAt as Defense, config }]);
    const seed = 3;
    const { train, validation } = world;
    const after = await trainTarget({ work: unwatched, model, recipe, pretrained, train, validation, settings, seed });

    const start = initialState(weightsOf(model), seed);
    const state: StateDict = { ...pretrained, "fc.weight": start["fc.weight"]!, "fc.bias": start["fc.bias"]! };
    const shape = [settings.batch, ...model.input];
    const order = endless(train, {
      batch: settings.batch,
      seed: seedFor(seed, "target", "order"),
      step: 0,
      augment: settings.augment,
    });
    const { images, labels } = (await order.next()).value!;
    const rng = random(seed, "target", "adversary", 0);
    const wrong = wrongClasses(labels, model.classes, rng);
    const [x, y] = [input("x", shape), input("y", [settings.batch], "int32")];
    const net = trainable({ training: true });
    const answers = net.apply(logitsLayer(model), x);
    const loss = crossEntropy(answers, oneHot(y, model.classes));
    const store = createStore(state);
    const slope = await compile({ outputs: { g: grad(loss, [x])[0]! }, store });
    const clip = (v: number, low: number, high: number) => Math.min(high, Math.max(low, v));
    const perturbed = images.map((v) => clip(v + config.epsilon * (2 * rng.uniform() - 1), 0, 1));
    for (let i = 0; i < config.iterations; i++) {
      const { g } = await slope.run({ x: perturbed, y: wrong });
      for (const [j, v] of images.entries()) {
        const moved = perturbed[j]! - config.step * Math.sign(g!.data[j]!);
        perturbed[j] = clip(clip(moved, v - config.epsilon, v + config.epsilon), 0, 1);
      }
    }
    expect(Math.max(...perturbed.map((v, j) => Math.abs(v - images[j]!)))).toBeCloseTo(config.epsilon, 6);

    const [x2, y2] = [input("x2", shape), input("y2", [settings.batch], "int32")];
    const misled = crossEntropy(net.apply(logitsLayer(model), x2), oneHot(y2, model.classes));
    const weights = net.trained();
    const right = mul(oneHot(y, model.classes), 1 - labelSmoothing);
    const smoothed = crossEntropy(answers, add(right, labelSmoothing / model.classes));
    const gradients = grad(add(smoothed, mul(misled, config.weight)), weights);
    const outputs = Object.fromEntries(gradients.map((g, i) => [weights[i]!.leaf!.name, g]));
    const program = await compile({ outputs, store });
    const found = await program.run({ x: images, y: labels, x2: perturbed, y2: wrong });
    for (const [name, { data }] of Object.entries(found)) {
      const wanted = state[name]!.data.map((w, i) => w - settings.rate * data[i]!);
      // A sign that rounding turns moves a pixel by two strides.
      expectAllClose(after[name]!.data, wanted, { relative: 1e-3, absolute: 2e-4 }, name);
    }
    await slope.release();
    await program.release();
  },
);

test("wrong classes are every other class, equally often", () => {
  const labels = Int32Array.from({ length: 6000 }, (_, i) => i % 3);
  const drawn = wrongClasses(labels, 4, random(1, "wrong"));
  const counts = new Map<string, number>();
  for (const [i, label] of labels.entries()) {
    const pair = `${label} ${drawn[i]}`;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  expect(counts.size).toBe(9);
  expect([...counts.keys()].filter((pair) => pair[0] === pair[2])).toEqual([]);
  for (const n of counts.values()) expect(Math.abs(n - 6000 / 9)).toBeLessThan(100);
});
