import { beforeAll, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { memoryWork } from "../../test/support/memory-work.ts";
import { changedTensors } from "../../test/support/same-bits.ts";
import {
  IDENTITIES,
  IMAGE,
  LATENT,
  NETWORKS,
  PRIOR_SETTINGS,
  type TinyWorld,
  tinyWorld,
} from "../../test/support/tiny-world.ts";
import { input } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched, type Work } from "../engine/work.ts";
import { predictor } from "../models/predict.ts";
import { copiedClasses, synthesize } from "./synthesize.ts";
import { tacganDiscriminatorLoss, tacganGeneratorLoss, trainTacgan } from "./train-tacgan.ts";

const [CHANNELS, SIDE] = IMAGE;
const LENGTH = CHANNELS * SIDE * SIDE;
const networks = NETWORKS.tacgan;

let world: TinyWorld;
beforeAll(async () => {
  world = await tinyWorld();
});

/** A target that sees class 0 in images whose left half is the brighter one, and class 1 in others. */
function sides() {
  const asked: number[] = [];
  const left = (image: Float32Array) =>
    image.reduce((sum, x, i) => sum + (i % SIDE < SIDE / 2 ? x : -x), 0) > 0 ? 0 : 1;
  return {
    asked,
    async labels(images: Float32Array) {
      asked.push(images.length / LENGTH);
      return Int32Array.from({ length: images.length / LENGTH }, (_, i) =>
        left(images.subarray(i * LENGTH, (i + 1) * LENGTH)),
      );
    },
  };
}

const train = (target: ReturnType<typeof sides>, change: object = {}, work: Work = unwatched) =>
  trainTacgan({
    networks,
    images: world.public,
    target,
    classes: IDENTITIES,
    settings: { ...PRIOR_SETTINGS.tacgan, critic: 1, flip: 0, ...change },
    seed: 3,
    work,
  });

test("the losses as by hand", async () => {
  const [real, fake] = [Float32Array.of(2, 0.5, -1, 0), Float32Array.of(-1, 1, 0, 0.5)];
  const labels = Float32Array.of(0, 0, 1);
  const [r, f, y] = [input("real", [1, 4]), input("fake", [1, 4]), input("labels", [1, 3])];
  const logSum = Math.log(Math.exp(1) + Math.exp(0) + Math.exp(0.5));
  const feeds = { real, fake, labels };
  const wanted = Math.log(1 + Math.exp(-2)) + Math.log(1 + Math.exp(-1)) + 1.5 * (logSum - 0.5);
  expectAllClose(await evaluate(tacganDiscriminatorLoss(r, f, y, 1.5), feeds), [wanted], { relative: 1e-5 });
  const fooled = Math.log(1 + Math.exp(1)) + 1.5 * (logSum - 0.5);
  expectAllClose(await evaluate(tacganGeneratorLoss(f, y, 1.5), { fake, labels }), [fooled], { relative: 1e-5 });
});

test("asks for one label of each fake that the discriminator learns from, and none in the first steps", async () => {
  const target = sides();
  await train(target, { steps: 6, unconditional: 2, critic: 3 });
  expect(target.asked).toEqual(Array.from({ length: 4 * 3 }, () => 16));
});

test("learns no classes in its first steps", async () => {
  const [short, long] = [
    await train(sides(), { steps: 1, unconditional: 4 }),
    await train(sides(), { steps: 4, unconditional: 4 }),
  ];
  const changed = changedTensors(short, long);
  expect(changed).toContain("discriminator/block1.c1.weight");
  expect(changed.filter((name) => name.startsWith("discriminator/l_y"))).toEqual([]);
});

/** Share of images, of equally many latents for class 0 and 1, about which two opinions agree. */
async function shares(state: StateDict) {
  const labels = Int32Array.from({ length: 128 }, (_, i) => i % 2);
  const images = await synthesize({ kind: "tacgan", networks, state }, random(1, "z").normals(128 * LATENT), {
    labels,
  });
  const copy = copiedClasses({ kind: "tacgan", networks, state });
  const net = await predictor(IMAGE, 64, (x) => ({ logits: copy(x) }));
  const { logits } = await net.predict(images, 128);
  await net.release();
  const seen = await sides().labels(images);
  const copied = labels.map((_, i) => {
    const row = logits.subarray(i * IDENTITIES, (i + 1) * IDENTITIES);
    return row.indexOf(Math.max(...row));
  });
  const share = (a: Int32Array, b: Int32Array) => a.filter((x, i) => x === b[i]).length / a.length;
  return { copy: share(seen, copied), wanted: share(seen, labels) };
}

test("its discriminator learns the labels of the target, and its generator to make what the target labels as wanted", async () => {
  const work = memoryWork();
  // The other six classes are wanted too, and never seen.
  const state = await train(sides(), { steps: 120, rate: 2e-3 }, work);
  const { copy, wanted } = await shares(state);
  expect(copy, "the class head names the target's label").toBeGreaterThan(0.85);
  expect(wanted, "the target sees the wanted class").toBeGreaterThan(0.75);
  expect(work.steps.at(-1)!.agreement).toBeGreaterThan(0);
});
