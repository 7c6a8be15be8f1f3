import { beforeAll, expect, test } from "vitest";
import { type LabelsAccess, openTarget } from "../../src/attacks/access.ts";
import { queryMeter } from "../../src/attacks/queries.ts";
import type { ImageSet } from "../../src/data/dataset.ts";
import { all, endless } from "../../src/data/loader.ts";
import { coco, hsic, kernels } from "../../src/defenses/dependence.ts";
import { BOTTLENECK, gaussianInformation } from "../../src/defenses/mid.ts";
import { trainTarget } from "../../src/defenses/train-target.ts";
import { TRIGGERS } from "../../src/defenses/trap-steps.ts";
import { grad } from "../../src/engine/autodiff.ts";
import { constant, constantTensor, input, type Value } from "../../src/engine/graph.ts";
import { mul, sign, sub } from "../../src/engine/ops/elementwise.ts";
import { crossEntropy } from "../../src/engine/ops/loss.ts";
import { decodeSafetensors } from "../../src/engine/safetensors.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { unwatched } from "../../src/engine/work.ts";
import { type Answers, answersFor, likeliest } from "../../src/models/answers.ts";
import { countWeights, fixed, initialState } from "../../src/models/bind.ts";
import { featureLayer, logitsLayer, weightsOf } from "../../src/models/model.ts";
import { classifierPredictor, predictSet } from "../../src/models/predict.ts";
import { oneHotTargets } from "../../src/models/train.ts";
import { compose, type Kind, original, type Part } from "../support/composed.ts";
import { evaluate } from "../support/evaluate.ts";
import { rowsOf } from "../support/matrix.ts";
import { memoryWork } from "../support/memory-work.ts";
import { pick } from "../support/pick.ts";
import { IDENTITIES, pretrainedWeights, TINY_TRAINING, type TinyWorld, tinyWorld } from "../support/tiny-world.ts";

let world: TinyWorld;
let pretrained: StateDict;

beforeAll(async () => {
  world = await tinyWorld();
  pretrained = await pretrainedWeights();
});

const trainings = new Map<string, Promise<StateDict>>();

/** A target trained with these defenses, after a few epochs: trained when it is first asked for. */
function trained(...parts: readonly Part[]): Promise<StateDict> {
  const { model, recipe } = compose(...parts);
  const settings = { ...TINY_TRAINING, epochs: 6 };
  const { train, validation } = world;
  const key = JSON.stringify(parts);
  const known = trainings.get(key);
  if (known !== undefined) return known;
  const made = trainTarget({ work: unwatched, model, recipe, pretrained, train, validation, settings, seed: 3 });
  trainings.set(key, made);
  return made;
}

/** The mean of −log p over all classes and validation images. */
async function surprise(state: StateDict): Promise<number> {
  const net = await classifierPredictor(original, state);
  const { logits } = await predictSet(net, world.validation);
  await net.release();
  const rows = rowsOf(logits, IDENTITIES).map((own) => {
    const total = Math.log(own.reduce((sum, x) => sum + Math.exp(x), 0));
    return own.reduce((sum, x) => sum + total - x, 0) / IDENTITIES;
  });
  return rows.reduce((a, b) => a + b, 0) / rows.length;
}

/** How much the validation images and a stage's outputs depend on each other. */
async function dependence(
  state: StateDict,
  stage: string,
  measure: (images: Value, features: Value) => Value,
): Promise<number> {
  const images = await firstImages(world.validation, 48);
  const net = fixed(state);
  net.apply(logitsLayer(original), images);
  const [found] = await evaluate(measure(images, net.observed[stage]!));
  return found!;
}

/** A reshaped model's logits for the validation images, row by row, and what its layers show. */
async function outputs(part: Part, state: StateDict) {
  const { model } = compose(part);
  const net = fixed(state);
  const logits = net.apply(logitsLayer(model), await firstImages(world.validation, 48));
  return { logits, observed: net.observed };
}

/** Features of the validation images when the last group's blocks compute nothing beside their shortcuts. */
async function onlyShortcuts(...parts: readonly Part[]): Promise<number> {
  const { model } = compose(...parts);
  const state = initialState(weightsOf(model), 3);
  for (const name of ["weight", "bias"]) state[`layer3.0.bn2.${name}`]!.data.fill(0);
  const features = fixed(state).apply(featureLayer(model), await firstImages(world.validation, 8));
  const found = await evaluate(features);
  return Array.from(found).reduce((a, b) => a + b, 0);
}

/** What attacks that only ask are told of validation images by a target with a defense of its answers, and by one without. */
async function answered(part: Part) {
  const state = await trained(["none"]);
  const { recipe } = compose(part);
  const [images, more] = [await firstImages(world.validation, 48), await firstImages(world.validation, 24)].map(
    (v) => constantTensor(v)!.data as Float32Array,
  );
  const net = await classifierPredictor(original, state);
  const probabilities = await answersFor(net, world.validation, IDENTITIES);
  await net.release();
  const answers = recipe.outputs!.open({ probabilities, labels: world.validation.labels, seed: 1 });
  const ask = async <A extends "scores" | "labels">(access: A, of: Answers | undefined, asked: Float32Array) => {
    const { target, release } = openTarget(access, original, state, queryMeter(), of);
    const found = "scores" in target ? await target.scores(asked) : await (target as LabelsAccess).labels(asked);
    await release();
    return found as A extends "scores" ? Float32Array : Int32Array;
  };
  const scores = await ask("scores", answers, images!);
  expect(await ask("labels", undefined, images!)).toEqual(
    likeliest(await ask("scores", undefined, images!), IDENTITIES),
  );
  const again = new Float32Array([...(await ask("scores", answers, more!)), ...scores.subarray(24 * IDENTITIES)]);
  return {
    scores,
    again,
    plain: await ask("scores", undefined, images!),
    labels: await ask("labels", answers, images!),
  };
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
}

/** The number of directions in which rows vary, by elimination. */
function rankOf(rows: number[][]): number {
  let rank = 0;
  const left = rows.map((row) => [...row]);
  for (let column = 0; column < left[0]!.length; column++) {
    const pivot = left
      .slice(rank)
      .reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best));
    if (Math.abs(pivot[column]!) < 1e-3) continue;
    const at = left.indexOf(pivot);
    [left[rank], left[at]] = [left[at]!, left[rank]!];
    for (let i = rank + 1; i < left.length; i++) {
      const factor = left[i]![column]! / pivot[column]!;
      left[i] = left[i]!.map((x, j) => x - factor * pivot[j]!);
    }
    rank++;
    if (rank === left.length) break;
  }
  return rank;
}

/** The first images of a set, as a constant. */
async function firstImages(set: ImageSet, count: number): Promise<Value> {
  const { value } = await all(set, count).next();
  return constant(tensor(value!.images.slice(), [count, ...original.input]));
}

const kernel = (x: Value) => kernels.gaussian(x, 5);

/** What each defense claims to change, beside a target trained without it; a missing one does not compile. */
const effects: Readonly<Record<Exclude<Kind, "none" | "tl-dmi">, () => Promise<void>>> = {
  async "label-smoothing"() {
    const plain = await surprise(await trained(["none"]));
    expect(await surprise(await trained(["label-smoothing", { alpha: 0.2 }]))).toBeLessThan(0.8 * plain);
    const negative = { alpha: -0.2, schedule: "constant" };
    expect(await surprise(await trained(["label-smoothing", negative]))).toBeGreaterThan(1.2 * plain);
  },
  async "bido-hsic"() {
    const measure = (x: Value, z: Value) => hsic(kernel(x), kernel(z), 1e-3);
    const config = { lambdaX: 1, lambdaY: 0, stages: ["layer2"], epsilon: 1e-3 };
    const plain = await dependence(await trained(["none"]), "layer2.0", measure);
    expect(await dependence(await trained(["bido-hsic", config]), "layer2.0", measure)).toBeLessThan(0.8 * plain);
  },
  async "bido-coco"() {
    const measure = (x: Value, z: Value) => coco(kernel(x), kernel(z));
    const config = { lambdaX: 50, lambdaY: 0, stages: ["layer2"] };
    const plain = await dependence(await trained(["none"]), "layer2.0", measure);
    expect(await dependence(await trained(["bido-coco", config]), "layer2.0", measure)).toBeLessThan(0.8 * plain);
  },
  async mid() {
    const information = async (beta: number) => {
      const part: Part = ["mid", { width: 6, beta }];
      const { observed } = await outputs(part, await trained(part));
      const found = await evaluate(gaussianInformation(observed[BOTTLENECK.mean]!, observed[BOTTLENECK.deviation]!));
      return found[0]!;
    };
    expect(await information(0.1)).toBeLessThan(0.5 * (await information(0)));
  },
  async midre() {
    const { recipe } = compose(["midre"]);
    const options = { batch: 32, seed: 1, step: 0 };
    const [whole, covered] = [
      (await endless(world.train, options).next()).value!,
      (await endless(world.train, { ...options, erasing: recipe.erasing! }).next()).value!,
    ];
    const pixels = original.input[1] * original.input[2];
    for (let i = 0; i < 32; i++) {
      let changed = 0;
      const start = i * 3 * pixels;
      for (let p = start; p < start + pixels; p++) changed += Number(whole.images[p] !== covered.images[p]);
      expect(changed / pixels).toBeGreaterThan(0.05);
      expect(changed / pixels).toBeLessThan(0.45);
    }
  },
  async rolss() {
    expect(await onlyShortcuts(["none"])).toBeGreaterThan(0.1);
    expect(await onlyShortcuts(["rolss"])).toBe(0);
    expect(await onlyShortcuts(["rolss", { group: "layer1" }])).toBeGreaterThan(0.1);
  },
  async ssf() {
    const whole = await onlyShortcuts(["none"]);
    expect((await onlyShortcuts(["ssf", { factor: 0.25 }])) / whole).toBeCloseTo(0.25, 4);
  },
  async tts() {
    expect(await onlyShortcuts(["tts"])).toBe(0);
    const work = memoryWork();
    const { model, recipe } = compose(["tts", { firstEpochs: 2 }]);
    const { train, validation } = world;
    await trainTarget({ work, model, recipe, pretrained, train, validation, settings: TINY_TRAINING, seed: 3 });
    const epochs = (of: string) => work.rows.filter((row) => row.training === of).length;
    expect([epochs("target-first"), epochs("target")]).toEqual([2, TINY_TRAINING.epochs - 2]);
    expect(countWeights(weightsOf(model))).toBeLessThan(countWeights(weightsOf(original)));
    const [one, other] = [recipe.first!.model, original].map((m) => weightsOf(m).map((w) => w.name));
    expect(one).toEqual(other);
  },
  async "dp-sgd"() {
    // Without noise, a small length is all that a step of plain descent on the whole set can move weights by.
    const moved = async (clip: number, noiseMultiplier: number) => {
      const { model, recipe } = compose(["dp-sgd", { clip, noiseMultiplier }]);
      const settings = {
        ...TINY_TRAINING,
        epochs: 1,
        batch: 200,
        momentum: 0,
        weightDecay: 0,
        rate: 1,
        schedule: "constant" as const,
      };
      const { train, validation } = world;
      const after = await trainTarget({
        work: unwatched,
        model,
        recipe,
        pretrained,
        train,
        validation,
        settings,
        seed: 3,
      });
      const before = { ...pretrained, ...pick(["fc.weight", "fc.bias"], initialState(weightsOf(model), 3)) };
      return (
        weightsOf(model).reduce(
          (total, { name }) => total + squaredDistance(after[name]!.data, before[name]!.data),
          0,
        ) ** 0.5
      );
    };
    expect(world.train.size).toBeLessThan(200);
    expect(await moved(1e-3, 1e-6)).toBeLessThan(1e-3 * 1.01);
    expect(await moved(1e-3, 1e-6)).toBeGreaterThan(1e-5);
    expect(await moved(1e3, 1e-9)).toBeGreaterThan(0.1);
    // Noise of σ·C a number, divided by the batch.
    const numbers = countWeights(weightsOf(original));
    const noisy = (await moved(1e-2, 500)) / ((5 * Math.sqrt(numbers)) / world.train.size);
    expect(noisy).toBeGreaterThan(0.95);
    expect(noisy).toBeLessThan(1.05);
  },
  async "at-at"() {
    // How unlikely the next class is after the steepest small step towards it.
    const surprise = async (state: StateDict) => {
      const { value } = await all(world.validation, 48).next();
      const images = input("images", [48, ...original.input]);
      const targets = Array.from(value!.labels, (label) => [...oneHotTargets(IDENTITIES)[(label + 1) % IDENTITIES]!]);
      const wrong = constant(tensor(targets.flat(), [48, IDENTITIES]));
      const net = fixed(state);
      const loss = (x: Value) => crossEntropy(net.apply(logitsLayer(original), x), wrong);
      const moved = sub(images, mul(sign(grad(loss(images), [images])[0]!), 0.02));
      const found = await evaluate(loss(moved), { images: value!.images });
      return found[0]!;
    };
    const plain = await surprise(await trained(["none"]));
    const misled = await trained(["at-at", { weight: 0.5, epsilon: 0.02, step: 0.01, iterations: 3 }]);
    expect(await surprise(misled)).toBeLessThan(0.7 * plain);
  },
  async "trap-mid"() {
    const part: Part = ["trap-mid", { blend: 0.1, weight: 0.5, step: 0.05 }];
    const { model, recipe } = compose(part);
    const work = memoryWork();
    const { train, validation } = world;
    const settings = { ...TINY_TRAINING, epochs: 12 };
    const trap = await trainTarget({ work, model, recipe, pretrained, train, validation, settings, seed: 3 });
    const { tensors } = decodeSafetensors((await work.loadCheckpoint("target.safetensors"))!, "checkpoint");
    const triggers = tensors[`store/${TRIGGERS}`]!;
    expect(triggers.data.every((x) => x >= 0 && x <= 1)).toBe(true);
    /** How many validation images that carry a class's trigger are taken for it, over all classes that are not their own. */
    const caught = async (state: StateDict) => {
      const images = constantTensor(await firstImages(validation, 48))!.data;
      const length = images.length / 48;
      let hits = 0;
      const net = await classifierPredictor(original, state);
      for (let turn = 1; turn < IDENTITIES; turn++) {
        const wanted = Array.from(validation.labels.subarray(0, 48), (label) => (label + turn) % IDENTITIES);
        const carrying = Float32Array.from(images, (x, i) => {
          const place = wanted[Math.floor(i / length)]! * length + (i % length);
          return 0.9 * x + 0.1 * triggers.data[place]!;
        });
        const found = likeliest((await net.predict(carrying, 48)).logits, IDENTITIES);
        hits += wanted.filter((label, i) => label === found[i]).length;
      }
      await net.release();
      return hits / (48 * (IDENTITIES - 1));
    };
    const plain = await caught(await trained(["none"]));
    expect(plain).toBeLessThan(0.2);
    expect(await caught(trap)).toBeGreaterThan(plain + 0.3);
  },
  async sca() {
    const part: Part = ["sca", { features: 6, kernel: 3, iterations: 10 }];
    const state = await trained(part);
    const { observed } = await outputs(part, state);
    for (const name of ["sca.0.code", "sca.2.code"]) {
      const code = await evaluate(observed[name]!);
      const active = code.filter((x) => x !== 0).length / code.length;
      expect(
        code.every((x) => x >= 0),
        name,
      ).toBe(true);
      expect(active, name).toBeGreaterThan(0.01);
      expect(active, name).toBeLessThan(0.5);
    }
    const dearer = { ...(part[1] as object), lambda: 1.5 };
    const fewer = (await outputs(["sca", dearer], state)).observed["sca.0.code"]!;
    const count = async (v: Value) => (await evaluate(v)).filter((x) => x !== 0).length;
    expect(await count(fewer)).toBeLessThan(0.7 * (await count(observed["sca.0.code"]!)));
    expect(() => compose(part, ["tl-dmi", { freeze: "layer1" }])).toThrow(/stage stem is both reshaped and frozen/);
  },
  async round() {
    const { scores, plain } = await answered(["round", { to: 0.2 }]);
    for (const [i, p] of scores.entries()) {
      expect(Math.abs(p / 0.2 - Math.round(p / 0.2))).toBeLessThan(1e-5);
      expect(Math.abs(p - plain[i]!)).toBeLessThan(0.1 + 1e-6);
    }
    expect(new Set(scores).size).toBeLessThan(new Set(plain).size / 4);
  },
  async "top-1"() {
    const { scores, labels } = await answered(["top-1"]);
    for (const [row, own] of rowsOf(scores, IDENTITIES).entries())
      expect(own).toEqual([...oneHotTargets(IDENTITIES)[labels[row]!]!]);
  },
  async ssd() {
    const { scores, plain, labels, again } = await answered(["ssd", { budget: 0.8 }]);
    expect(again).toEqual(scores);
    const truth = [...world.validation.labels.subarray(0, scores.length / IDENTITIES)];
    const [mine, raw] = [scores, plain].map((rows) => rowsOf(rows, IDENTITIES));
    for (const [row, own] of mine!.entries()) {
      const entropy = raw![row]!.reduce((h, p) => (p > 0 ? h - p * Math.log(p) : h), 0);
      expect(own.reduce((sum, p, k) => sum + Math.abs(p - raw![row]![k]!), 0)).toBeLessThan(0.8 * entropy + 1e-5);
      expect(own.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      expect(labels[row]).toBe(own.indexOf(Math.max(...own)));
    }
    // Answers for images of one class tell them apart less than they did.
    const spread = (rows: number[][]) =>
      rows.reduce((total, own, row) => {
        const same = rows.filter((_, other) => truth[other] === truth[row]);
        return total + own.reduce((sum, p, k) => sum + (p - same.reduce((m, r) => m + r[k]!, 0) / same.length) ** 2, 0);
      }, 0);
    expect(spread(mine!)).toBeLessThan(0.8 * spread(raw!));
  },
  async "low-rank"() {
    const rank = async (part: Part) => {
      const { model } = compose(part);
      const { logits } = await outputs(part, initialState(weightsOf(model), 3));
      const rows = rowsOf(await evaluate(logits), IDENTITIES);
      return rankOf(rows.map((row) => row.map((x, j) => 10 * (x - rows[0]![j]!))));
    };
    expect(await rank(["low-rank", { rank: 2 }])).toBe(2);
    expect(await rank(["none"])).toBeGreaterThan(2);
  },
};

test.each(Object.entries(effects))("%s changes what it claims to", (_kind, check) => check());

test("bilateral dependency optimisation ties hidden features to labels", async () => {
  const labels = constant(
    tensor(
      oneHotTargets(IDENTITIES).flatMap((t) =>
        Array(6)
          .fill([...t])
          .flat(),
      ),
      [48, IDENTITIES],
    ),
  );
  const measure = (_x: Value, z: Value) => hsic(kernel(z), kernels.linear(labels), 1e-3);
  const config = { lambdaX: 0, lambdaY: 1, stages: ["layer2"] };
  const plain = await dependence(await trained(["none"]), "layer2.0", measure);
  expect(await dependence(await trained(["bido-hsic", config]), "layer2.0", measure)).toBeGreaterThan(plain + 0.1);
});
