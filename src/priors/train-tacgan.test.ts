import { expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { changedTensors } from "../../test/support/same-bits.ts";
import { IMAGE, LATENT, PRIOR_SETTINGS } from "../../test/support/tiny-world.ts";
import { memorySet } from "../data/memory-set.ts";
import { input } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { unwatched } from "../engine/work.ts";
import { likeliest } from "../models/answers.ts";
import { predictor } from "../models/predict.ts";
import { copiedClasses, synthesize } from "./synthesize.ts";
import { tacgan } from "./tacgan.ts";
import { tacganDiscriminatorLoss, tacganGeneratorLoss, trainTacgan } from "./train-tacgan.ts";

const PIXELS = IMAGE[1] * IMAGE[2];
const COLOURS = 3;
const settings = { ...PRIOR_SETTINGS.tacgan, critic: 1, flip: 0, batch: 32, rate: 2e-3 };
const networks = tacgan.networks(settings, { image: IMAGE, classes: COLOURS });

/** Public images that are red, green or blue, in shades. */
function colours() {
  const rng = random(5, "colours");
  const labels = Int32Array.from({ length: 96 }, (_, i) => i % COLOURS);
  const bytes = Uint8Array.from({ length: 96 * COLOURS * PIXELS }, (_, at) => {
    const own = Math.floor(at / PIXELS) % COLOURS === labels[Math.floor(at / (COLOURS * PIXELS))];
    return (own ? 200 : 60) + Math.floor(30 * rng.uniform());
  });
  const [channels, height, width] = IMAGE;
  return memorySet({ name: "colours", channels, height, width, labels, bytes, classes: ["red", "green", "blue"] });
}

/** A target that names the brightest channel. */
function namesColours() {
  const asked: number[] = [];
  return {
    asked,
    async labels(images: Float32Array) {
      const count = images.length / (COLOURS * PIXELS);
      asked.push(count);
      return Int32Array.from({ length: count }, (_, i) => {
        const sums = Array.from({ length: COLOURS }, (_, k) => {
          const from = (i * COLOURS + k) * PIXELS;
          return images.subarray(from, from + PIXELS).reduce((a, b) => a + b, 0);
        });
        return sums.indexOf(Math.max(...sums));
      });
    },
  };
}

const train = (target: ReturnType<typeof namesColours>, change: object = {}) =>
  trainTacgan({
    networks,
    images: colours(),
    target,
    classes: COLOURS,
    settings: { ...settings, ...change },
    seed: 3,
    work: unwatched,
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
  const target = namesColours();
  await train(target, { steps: 6, unconditional: 2, critic: 3 });
  expect(target.asked).toEqual(Array.from({ length: 4 * 3 }, () => 32));
});

test("learns no classes in its first steps", async () => {
  const [short, long] = [
    await train(namesColours(), { steps: 1, unconditional: 4 }),
    await train(namesColours(), { steps: 4, unconditional: 4 }),
  ];
  const changed = changedTensors(short, long);
  expect(changed).toContain("discriminator/block1.c1.weight");
  expect(changed.filter((name) => name.startsWith("discriminator/l_y"))).toEqual([]);
});

test("its discriminator learns the labels of the target, and its generator to make what the target labels as wanted", async () => {
  const prior = { kind: "tacgan", networks, state: await train(namesColours(), { steps: 120 }) };
  const count = 192;
  const wanted = Int32Array.from({ length: count }, (_, i) => i % COLOURS);
  const images = await synthesize(prior, random(1, "z").normals(count * LATENT), { labels: wanted });
  const copy = copiedClasses(prior);
  const net = await predictor(IMAGE, 64, (x) => ({ logits: copy(x) }));
  const copied = likeliest((await net.predict(images, count)).logits, COLOURS);
  await net.release();
  const seen = await namesColours().labels(images);
  const share = (a: Int32Array) => a.filter((x, i) => x === seen[i]).length / count;
  expect(share(copied), "the class head names the target's label").toBeGreaterThan(0.9);
  expect(share(wanted), "the target sees the wanted class").toBeGreaterThan(0.5);
});
