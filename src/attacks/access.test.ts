import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { expectAllClose } from "../../test/support/all-close.ts";
import { collect } from "../../test/support/collect.ts";
import { memoryWork } from "../../test/support/memory-work.ts";
import { IMAGE, tinyModel } from "../../test/support/tiny-world.ts";
import { grad } from "../engine/autodiff.ts";
import { constant, input, parameter } from "../engine/graph.ts";
import { matmul } from "../engine/ops/linear.ts";
import { reshape } from "../engine/ops/movement.ts";
import { sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import { createStore } from "../engine/store.ts";
import { filled } from "../engine/tensor.ts";
import { initialState } from "../models/bind.ts";
import { weightsOf } from "../models/model.ts";
import { classifierPredictor } from "../models/predict.ts";
import { type LabelsAccess, openTarget, type ScoresAccess, type WhiteBox } from "./access.ts";
import { defineAttack } from "./attack.ts";
import { meteredWork, queryMeter } from "./queries.ts";
import { withTrail } from "./trail.ts";

const model = tinyModel();
const state = initialState(weightsOf(model), 3);
const COUNT = 70;
const images = random(1).uniforms(COUNT * 3 * 16 * 16);
let logits: Float32Array;

beforeAll(async () => {
  const net = await classifierPredictor(model, state);
  ({ logits } = await net.predict(images, COUNT));
  await net.release();
});

const rowOf = (i: number) => Array.from(logits.subarray(i * model.classes, (i + 1) * model.classes));

describe("a labels handle", () => {
  const meter = queryMeter();
  const { target, release } = openTarget("labels", model, state, meter);
  afterAll(release);

  test("gives the likeliest class of each image, in an array that holds nothing else, and counts", async () => {
    const labels = await target.labels(images);
    expect([...labels]).toEqual(Array.from({ length: COUNT }, (_, i) => rowOf(i).indexOf(Math.max(...rowOf(i)))));
    expect(labels.buffer.byteLength).toBe(4 * COUNT);
    expect(meter.count()).toEqual({ images: COUNT, gradients: 0 });
  });

  test("has nothing within reach that gives a score, a logit, a weight or a gradient", async () => {
    const answers = await everythingWithin(target, images);
    const numbers = answers.flatMap((x) =>
      typeof x === "number" ? [x] : ArrayBuffer.isView(x) ? [...numbersOf(x)] : [],
    );
    expect(answers.length).toBeGreaterThan(3);
    expect(numbers.filter((x) => !Number.isInteger(x))).toEqual([]);
    // Classes and sizes of images; a weight or a logit would not be a whole number.
    expect(Math.max(...numbers)).toBeLessThanOrEqual(Math.max(model.classes, ...IMAGE));
    expect(Object.isFrozen(target)).toBe(true);
  });
});

test.each([null, "stem", "layer2.0", "layer3.0"])(
  "cut after %s, the tail of what the prefix hands on is what the target judges of images, and counts as many queries",
  async (boundary) => {
    const meter = queryMeter();
    const { target, release } = openTarget("white-box", model, state, meter);
    const x = input("images", [COUNT, ...IMAGE]);
    const cut = target.cut(boundary);
    const handed = cut.prefix(x);
    const { logits: seen } = cut.tail(handed);
    const [slope] = grad(sum(seen), [x]);
    const known = await target.compile({ outputs: { handed } });
    await known.run({ images }, COUNT);
    expect(meter.count()).toEqual({ images: 0, gradients: 0 });
    const program = await target.compile({ outputs: { seen, slope: slope! } });
    const found = await program.run({ images }, 5);
    expect(meter.count()).toEqual({ images: 5, gradients: 5 });
    expectAllClose(found.seen!.data as Float32Array, logits, { relative: 1e-4, absolute: 1e-5 });
    await Promise.all([known.release(), program.release(), release()]);
  },
);

test.each<[string, (target: WhiteBox) => WhiteBox]>([
  ["a white-box handle", (target) => target],
  ["one with a trail", (target) => withTrail(target, { every: 1, seen: async () => {} })],
])("%s keeps no graph that nobody holds any more, and with it no generator", async (_, watched) => {
  const opened = openTarget("white-box", model, state, queryMeter());
  const target = watched(opened.target);
  const latents = input("latents", [1, 2]);
  /** What an attack with a generator of its own does for one identity; gives that generator's weights. */
  const attack = (cut: boolean): WeakRef<object> => {
    const weights = filled([2, 3 * 16 * 16], 0.1);
    const made = reshape(matmul(latents, constant(weights, "generator")), [1, ...IMAGE]);
    const seen = cut ? target.cut("stem").tail(target.cut("stem").prefix(made)).logits : target.logits(made);
    grad(sum(seen), [latents]);
    return new WeakRef(weights.data);
  };
  const generators = [attack(false), attack(true), attack(false), attack(true)];
  await collect();
  // What a layer shows is kept until the next graph shows it.
  expect(generators.slice(0, 2).map((weights) => weights.deref() === undefined)).toEqual([true, true]);
  expect(target.classes).toBe(model.classes);
  await opened.release();
});

test("the search of a handle finds scores where there are some", async () => {
  const { target, release } = openTarget("scores", model, state, queryMeter());
  const answers = await everythingWithin(target, images);
  expect(answers.some((x) => x instanceof Float32Array && x.length === COUNT * model.classes)).toBe(true);
  await release();
});

test("a scores handle gives softmax of the logits as plain numbers, and no graph", async () => {
  const meter = queryMeter();
  const { target, release } = openTarget("scores", model, state, meter);
  const scores = await target.scores(images);
  for (const i of [0, 1, COUNT - 1]) {
    const exps = rowOf(i).map(Math.exp);
    const total = exps.reduce((a, b) => a + b, 0);
    for (const [k, e] of exps.entries()) expect(scores[i * model.classes + k]).toBeCloseTo(e / total, 5);
  }
  expect(meter.count()).toEqual({ images: COUNT, gradients: 0 });
  expect(Object.keys(target).toSorted()).toEqual(["classes", "image", "scores"]);
  await release();
});

test("a white-box handle counts each run: images forward, images with gradients, and only the rows that count", async () => {
  const meter = queryMeter();
  const { target, release } = openTarget("white-box", model, state, meter);
  const forward = await target.compile({ outputs: { logits: target.logits(input("x", [4, ...IMAGE])) } });
  await forward.run({ x: images.subarray(0, 4 * 768) });
  expect(meter.count()).toEqual({ images: 4, gradients: 0 });
  await forward.run({ x: images.subarray(0, 4 * 768) }, 3);
  expect(meter.count()).toEqual({ images: 7, gradients: 0 });

  const x = parameter("x", [5, ...IMAGE]);
  const [slope] = grad(sum(target.logits(x)), [x]);
  const store = createStore({ x: filled([5, ...IMAGE], 0.5) });
  const step = await target.compile({ outputs: {}, updates: { x: slope! }, store });
  await step.run({});
  expect(meter.count()).toEqual({ images: 12, gradients: 5 });
  for (const program of [forward, step]) await program.release();
  await release();
});

test("an attack's access decides the type of its handle", () => {
  const common = { kind: "probe", summary: "", paper: "", config: z.strictObject({}), quick: {} } as const;
  defineAttack({
    ...common,
    access: "labels",
    prior: "dcgan",
    run: ({ target }) => {
      expectTypeOf(target).toEqualTypeOf<LabelsAccess>();
      return Promise.reject();
    },
  });
  defineAttack({
    ...common,
    access: "scores",
    prior: null,
    run: ({ target, prior }) => {
      expectTypeOf(target).toEqualTypeOf<ScoresAccess>();
      expectTypeOf(prior).toEqualTypeOf<undefined>();
      return Promise.reject();
    },
  });
  defineAttack({
    ...common,
    access: "white-box",
    prior: "kedmi",
    run: ({ target }) => {
      expectTypeOf(target).toEqualTypeOf<WhiteBox>();
      return Promise.reject();
    },
  });
});

test("a checkpoint carries the count: what is asked again before it is found does not count twice", async () => {
  const [first, second] = [queryMeter(), queryMeter()];
  const work = memoryWork();
  first.add(2 ** 40, 3);
  await meteredWork(work, first).saveCheckpoint("a", Uint8Array.of(1, 2, 3));
  second.add(17);
  const later = meteredWork(memoryWork({ from: work.left() }), second);
  expect(await later.loadCheckpoint("none")).toBeUndefined();
  expect(second.count()).toEqual({ images: 17, gradients: 0 });
  expect(await later.loadCheckpoint("a")).toEqual(Uint8Array.of(1, 2, 3));
  expect(second.count()).toEqual({ images: 2 ** 40, gradients: 3 });
});

/** What can be had from a value by reading every property, inherited ones too, and by calling every function that it owns with images. */
async function everythingWithin(root: object, given: Float32Array): Promise<unknown[]> {
  const found: unknown[] = [];
  const seen = new Set<unknown>();
  const queue: { value: unknown; owner: object }[] = [{ value: root, owner: root }];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    const { value, owner } = at;
    if (seen.has(value)) continue;
    if (typeof value === "object" || typeof value === "function") seen.add(value);
    found.push(value);
    if (value === null || (typeof value !== "object" && typeof value !== "function")) continue;
    if (ArrayBuffer.isView(value)) continue;
    if (typeof value === "function") {
      const answer: unknown = await Promise.resolve()
        .then(() => Reflect.apply(value, owner, [given]))
        .catch(() => undefined);
      queue.push({ value: answer, owner });
    }
    for (let o: object | null = value; o !== null && !builtIn.has(o); o = Object.getPrototypeOf(o))
      for (const key of Reflect.ownKeys(o)) queue.push({ value: read(value, key), owner: value });
  }
  return found;
}

/** Where the language's own properties begin. */
const builtIn = new Set<object>([
  Object.prototype,
  Array.prototype,
  Function.prototype,
  Object.getPrototypeOf(async () => {}),
]);

const read = (of: object, key: string | symbol): unknown => {
  try {
    return Reflect.get(of, key);
  } catch {
    return undefined;
  }
};

function numbersOf(view: ArrayBufferView): Iterable<number> {
  return view instanceof Float32Array || view instanceof Int32Array ? view : [Number.NaN];
}
