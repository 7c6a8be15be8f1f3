import { beforeAll, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { memoryWork } from "../../test/support/memory-work.ts";
import {
  pretrainedWeights,
  TINY_TRAINING,
  type TinyWorld,
  tinyModel,
  tinyWorld,
} from "../../test/support/tiny-world.ts";
import { endless } from "../data/loader.ts";
import { grad } from "../engine/autodiff.ts";
import { input } from "../engine/graph.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { crossEntropy } from "../engine/ops/loss.ts";
import { oneHot, sliceAxis } from "../engine/ops/movement.ts";
import { random, seedFor } from "../engine/random.ts";
import { compile } from "../engine/runtime.ts";
import { decodeSafetensors } from "../engine/safetensors.ts";
import { sizeOf } from "../engine/shape.ts";
import { createStore, type StateDict } from "../engine/store.ts";
import { initialState, trainable } from "../models/bind.ts";
import { logitsLayer, weightsOf } from "../models/model.ts";
import { affineViews, drawView } from "./affine-views.ts";
import { composeDefenses } from "./compose.ts";
import type { Defense } from "./defense.ts";
import { trainTarget } from "./train-target.ts";
import { trapMid } from "./trap-mid.ts";
import { TRIGGERS } from "./trap-steps.ts";

const model = tinyModel();
const SEED = 3;
const trap = { blend: 0.1, weight: 0.3, step: 0.04 };
const BATCH = 4;
const settings = {
  ...TINY_TRAINING,
  batch: BATCH,
  momentum: 0,
  weightDecay: 0,
  rate: 0.1,
  schedule: "constant",
} as const;
const size = sizeOf(model.input);

let world: TinyWorld;
let pretrained: StateDict;
beforeAll(async () => {
  world = await tinyWorld();
  pretrained = await pretrainedWeights();
});

/** What the store holds after so many steps. */
async function storeAfter(steps: number): Promise<StateDict> {
  const work = memoryWork();
  const { recipe } = composeDefenses(model, [{ member: trapMid as Defense, config: trap }]);
  const { train, validation } = world;
  const change = { ...settings, epochs: steps / (train.size / BATCH) };
  await trainTarget({ work, model, recipe, pretrained, train, validation, settings: change, seed: SEED });
  const { tensors } = decodeSafetensors((await work.loadCheckpoint("target.safetensors"))!, "checkpoint");
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, t]) => (name.startsWith("store/") ? [[name.slice(6), t]] : [])),
  );
}

test("triggers of the trapped classes move by the step, others stay; every class has its turn before one has two", async () => {
  const [one, two] = [await storeAfter(1), await storeAfter(2)];
  const start = random(SEED, "target", "triggers").uniforms(model.classes * size);
  const moved = (from: ArrayLike<number>, to: ArrayLike<number>) =>
    Array.from({ length: model.classes }, (_, k) => k).filter((k) => {
      const changes = Array.from({ length: size }, (_, i) => Math.abs(to[k * size + i]! - from[k * size + i]!));
      // Numbers at an end of [0, 1] may have less room, and some have no gradient.
      expect(Math.max(...changes)).toBeLessThan(trap.step + 1e-6);
      const whole = changes.filter((x) => Math.abs(x - trap.step) < 1e-6).length;
      expect(whole === 0 || whole > 0.6 * size).toBe(true);
      return whole > 0;
    });
  const turns = [moved(start, one[TRIGGERS]!.data), moved(one[TRIGGERS]!.data, two[TRIGGERS]!.data)];
  expect(turns.map((t) => t.length)).toEqual([BATCH, BATCH]);
  expect(new Set(turns.flat()).size).toBe(model.classes);
});

test("a step of the model is one on (1 − β)·CE(x, y) + β·CE(x′, y_trap), both in views of their own", async () => {
  const found = await storeAfter(1);
  const start = initialState(weightsOf(model), SEED);
  const state: StateDict = { ...pretrained, "fc.weight": start["fc.weight"]!, "fc.bias": start["fc.bias"]! };
  const seed = seedFor(SEED, "target", "order");
  const order = endless(world.train, { batch: BATCH, seed, step: 0, augment: settings.augment });
  const { images, labels } = (await order.next()).value!;
  const trapped = random(seedFor(SEED, "target", "trapped"), 0)
    .permutation(model.classes)
    .subarray(0, BATCH);
  const both = new Float32Array(2 * images.length);
  both.set(images);
  for (const [i, x] of images.entries()) {
    const trigger = found[TRIGGERS]!.data[trapped[Math.floor(i / size)]! * size + (i % size)]!;
    both[images.length + i] = (1 - trap.blend) * x + trap.blend * trigger;
  }
  const rng = random(SEED, "target", "views", 0);
  for (let i = 0; i < BATCH; i++) drawView(rng);

  const net = trainable({ training: true });
  const views = affineViews(input("both", [2 * BATCH, ...model.input]), "views");
  const logits = net.apply(logitsLayer(model), views.images);
  const [y, k] = [input("y", [BATCH], "int32"), input("k", [BATCH], "int32")];
  const loss = add(
    mul(crossEntropy(sliceAxis(logits, 0, 0, BATCH), oneHot(y, model.classes)), 1 - trap.weight),
    mul(crossEntropy(sliceAxis(logits, 0, BATCH, 2 * BATCH), oneHot(k, model.classes)), trap.weight),
  );
  const weights = net.trained();
  const outputs = Object.fromEntries(grad(loss, weights).map((g, i) => [weights[i]!.leaf!.name, g]));
  const program = await compile({ outputs, store: createStore(state) });
  const gradients = await program.run({
    both,
    y: labels,
    k: trapped,
    ...views.feeds(Array.from({ length: 2 * BATCH }, () => drawView(rng))),
  });
  for (const [name, { data }] of Object.entries(gradients)) {
    const wanted = state[name]!.data.map((w, i) => w - settings.rate * data[i]!);
    expectAllClose(found[name]!.data, wanted, { relative: 1e-4, absolute: 1e-5 }, name);
  }
  await program.release();
});
