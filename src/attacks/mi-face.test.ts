import { beforeAll, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { IDENTITIES, IMAGE, type TinyWorld, tinyModel, tinyWorld, trainTiny } from "../../test/support/tiny-world.ts";
import { UserError } from "../engine/errors.ts";
import { input } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import { flatten, linear } from "../models/layers.ts";
import type { Model } from "../models/model.ts";
import { classifierPredictor } from "../models/predict.ts";
import { miFace, totalVariation } from "./mi-face.ts";
import { runAttack } from "./run-attack.ts";
import { pixelSpace } from "./space.ts";

/** Softmax regression, the model that the paper inverts best. */
const shallow: Model = {
  kind: "softmax regression",
  stages: [{ name: "pixels", layer: flatten }],
  head: linear("fc", 3 * 16 * 16, IDENTITIES),
  features: 3 * 16 * 16,
  classes: IDENTITIES,
  input: IMAGE,
};
const identities = Array.from({ length: IDENTITIES }, (_, i) => i);

let world: TinyWorld;
let state: StateDict;
beforeAll(async () => {
  world = await tinyWorld();
  state = await trainTiny(shallow, world.train, 1);
});

const run = (change: object, perIdentity = 4) =>
  runAttack({
    attack: miFace,
    model: shallow,
    state,
    identities,
    perIdentity,
    config: miFace.config.parse({ iterations: 200, rate: 20, totalVariation: 0.5, batch: 16, ...change }),
    seed: 4,
    work: unwatched,
  });

test("shows identities to the evaluation model where the target is shallow", async () => {
  const model = tinyModel("evaluation");
  const judge = await classifierPredictor(model, await trainTiny(model, world.evaluation, 2));
  const { rows, labels } = await run({});
  const seen = async (images: Float32Array) => {
    const { logits } = await judge.predict(images, labels.length);
    const recognised = labels.filter((label, i) => {
      const row = logits.subarray(i * IDENTITIES, (i + 1) * IDENTITIES);
      return row.indexOf(Math.max(...row)) === label;
    });
    return recognised.length / labels.length;
  };
  expect(await seen(rows)).toBeGreaterThan((await seen(await pixelSpace(IMAGE).draw(labels.length, 5))) + 0.2);
  await judge.release();
});

test("is done with an image once the target is sure, or when its cost no longer falls", async () => {
  const full = 200 * IDENTITIES * 4;
  const sure = await run({ totalVariation: 0 });
  expect(sure.queries.images).toBeLessThan(0.5 * full);
  const stuck = await run({ rate: 1e-30, patience: 5, confidence: 1 });
  // The first step improves on nothing known, the next five on nothing.
  expect(stuck.queries.images).toBe(6 * IDENTITIES * 4);
});

test("keeps images within [0, 1]", async () => {
  const { rows } = await run({ rate: 1e6, iterations: 5 });
  expect(rows.every((x) => x >= 0 && x <= 1)).toBe(true);
});

test("from zeros there is one reconstruction of an identity", async () => {
  await expect(run({ start: "zeros" })).rejects.toThrow(UserError);
  const [one, again] = [
    await run({ start: "zeros", iterations: 3 }, 1),
    await run({ start: "zeros", iterations: 3 }, 1),
  ];
  expect(one.rows).toEqual(again.rows);
});

test("total variation: mean difference of neighbours, down and across", async () => {
  const [n, c, h, w] = [2, 3, 4, 5];
  const images = random(3).normals(n * c * h * w);
  const wanted = Array.from({ length: n }, (_, i) => {
    const pixel = (k: number, y: number, x: number) => images[((i * c + k) * h + y) * w + x]!;
    let [down, across] = [0, 0];
    for (let k = 0; k < c; k++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) {
          if (y + 1 < h) down += Math.abs(pixel(k, y + 1, x) - pixel(k, y, x));
          if (x + 1 < w) across += Math.abs(pixel(k, y, x + 1) - pixel(k, y, x));
        }
    return down / (c * (h - 1) * w) + across / (c * h * (w - 1));
  });
  expectAllClose(await evaluate(totalVariation(input("x", [n, c, h, w])), { x: images }), wanted, { relative: 1e-5 });
});
