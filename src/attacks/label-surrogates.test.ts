import { beforeAll, expect, test } from "vitest";
import { memoryWork, runWithInterruptions } from "../../test/support/memory-work.ts";
import { changedTensors } from "../../test/support/same-bits.ts";
import { IDENTITIES, IMAGE, LATENT, type TinyWorld, tinyModel, tinyWorld } from "../../test/support/tiny-world.ts";
import { random } from "../engine/random.ts";
import { unwatched, type Work } from "../engine/work.ts";
import { likeliest } from "../models/answers.ts";
import { predictor } from "../models/predict.ts";
import { synthesize } from "../priors/synthesize.ts";
import { labelSurrogateSettings, openLabelSurrogates, trainLabelSurrogates } from "./label-surrogates.ts";
import { meteredWork, queryMeter } from "./queries.ts";

const LENGTH = IMAGE[0] * IMAGE[1] * IMAGE[2];
const full = labelSurrogateSettings.parse({
  models: [
    { kind: "resnet10", width: 4 },
    { kind: "resnet10", width: 6 },
  ],
  perClass: 60,
  training: { epochs: 5, batch: 32, rate: 0.05 },
});
const small = { ...full, perClass: 20, training: { ...full.training, epochs: 2 } };

let world: TinyWorld;
beforeAll(async () => {
  world = await tinyWorld();
});

/** A target that names the brightest channel of an image. */
const brightest = (images: Float32Array) =>
  Int32Array.from({ length: images.length / LENGTH }, (_, i) => {
    const sums = [0, 1, 2].map((c) =>
      images.subarray(i * LENGTH + (c * LENGTH) / 3, i * LENGTH + ((c + 1) * LENGTH) / 3).reduce((a, b) => a + b, 0),
    );
    return sums.indexOf(Math.max(...sums));
  });

/** Learns from a target that can name classes and nothing else. */
async function learn(work: Work, settings = full) {
  const meter = queryMeter();
  const state = await trainLabelSurrogates({
    settings,
    shape: tinyModel(),
    target: {
      async labels(images) {
        meter.add(images.length / LENGTH);
        return brightest(images);
      },
    },
    prior: world.priors.tacgan,
    images: world.crowd,
    seed: 2,
    work: meteredWork(work, meter),
  });
  return { state, queries: meter.count() };
}

test("every network learns the labels of images that it has not seen", async () => {
  const { state } = await learn(unwatched);
  const labels = Int32Array.from({ length: 96 }, (_, i) => i % IDENTITIES);
  const images = await synthesize(world.priors.tacgan, random(9, "new").normals(96 * LATENT), { labels });
  const seen = brightest(images);
  const commonest = Math.max(...[0, 1, 2].map((k) => seen.filter((label) => label === k).length)) / 96;
  for (const network of openLabelSurrogates(full, tinyModel(), state)) {
    const net = await predictor(IMAGE, 32, (x) => ({ logits: network(x) }));
    const { logits } = await net.predict(images, 96);
    await net.release();
    const named = likeliest(logits, IDENTITIES);
    expect(named.filter((label, i) => label === seen[i]).length / 96).toBeGreaterThan(commonest + 0.1);
  }
});

test("asks for one label of each image, once, also where it is interrupted and resumed", async () => {
  const unbroken = memoryWork();
  const wanted = await learn(unbroken, small);
  expect(wanted.queries).toEqual({ images: 20 * IDENTITIES, gradients: 0 });
  // While labels are given, while the first network learns, and while the second does.
  const resumed = await runWithInterruptions([2, 4, 10], (work) => learn(work, small));
  expect(resumed.result.queries).toEqual(wanted.queries);
  expect(changedTensors(resumed.result.state, wanted.state)).toEqual([]);
  expect(resumed.work.rows).toEqual(unbroken.rows);
});

test("public images are learnt from too, and asked for once each", async () => {
  const few = { ...small, perClass: 9, publicImages: 70 };
  const unbroken = await learn(unwatched, few);
  expect(unbroken.queries).toEqual({ images: 9 * IDENTITIES + 70, gradients: 0 });
  expect(changedTensors(unbroken.state, (await learn(unwatched, { ...small, perClass: 9 })).state)).not.toEqual([]);
  // As the second batch of public images is labelled.
  const resumed = await runWithInterruptions([3], (work) => learn(work, few));
  expect(resumed.result.queries).toEqual(unbroken.queries);
  expect(changedTensors(resumed.result.state, unbroken.state)).toEqual([]);
  const all = await learn(unwatched, { ...small, perClass: 9, publicImages: 10 ** 6 });
  expect(all.queries.images, "no more than there are").toBe(9 * IDENTITIES + world.crowd.size);
});
