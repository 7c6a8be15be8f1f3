import { beforeAll, describe, expect, test } from "vitest";
import { type LabelsAccess, openTarget } from "../../src/attacks/access.ts";
import { queryMeter } from "../../src/attacks/queries.ts";
import { all } from "../../src/data/loader.ts";
import { memorySet } from "../../src/data/memory-set.ts";
import { UserError } from "../../src/engine/errors.ts";
import { input, type Value } from "../../src/engine/graph.ts";
import { softmax } from "../../src/engine/ops/activation.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { random, seedFor } from "../../src/engine/random.ts";
import { compile } from "../../src/engine/runtime.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { tensor } from "../../src/engine/tensor.ts";
import { unwatched, type Work } from "../../src/engine/work.ts";
import { hits } from "../../src/metrics/top-k.ts";
import { fixed, initialState } from "../../src/models/bind.ts";
import { logitsLayer } from "../../src/models/model.ts";
import { classifierPredictor, predictor, predictSet } from "../../src/models/predict.ts";
import { priors } from "../../src/priors/index.ts";
import { kedmiNetworks } from "../../src/priors/kedmi.ts";
import { minibatchDiscrimination } from "../../src/priors/minibatch-discrimination.ts";
import { plg } from "../../src/priors/plg.ts";
import {
  DISCRIMINATOR,
  GENERATOR,
  type PriorFamily,
  type PriorNetworks,
  weightsUnder,
  weightsWithPrefix,
} from "../../src/priors/prior.ts";
import { pseudoLabelled } from "../../src/priors/pseudo-labels.ts";
import { fixedPrior, synthesize } from "../../src/priors/synthesize.ts";
import { hingeLoss } from "../../src/priors/train-hinge.ts";
import { kedmiDiscriminatorLoss, kedmiGeneratorLoss } from "../../src/priors/train-kedmi.ts";
import { trainPlg } from "../../src/priors/train-plg.ts";
import { expectAllClose } from "../support/all-close.ts";
import { evaluate } from "../support/evaluate.ts";
import { memoryWork, runWithInterruptions } from "../support/memory-work.ts";
import { once } from "../support/once.ts";
import { changedTensors } from "../support/same-bits.ts";
import {
  IDENTITIES,
  IMAGE,
  LATENT,
  NETWORKS,
  PRIOR_SETTINGS,
  type TinyWorld,
  tinyModel,
  tinyWorld,
  trainedTarget,
} from "../support/tiny-world.ts";

const SEED = 5;
const kedmiNets = kedmiNetworks(PRIOR_SETTINGS.kedmi, IMAGE, IDENTITIES);

let world: TinyWorld;
let target: StateDict;
/** The target's softmax of each public image. */
let softLabels: Float32Array;
/** The target as one that only names classes. */
let labelled: LabelsAccess;

beforeAll(async () => {
  world = await tinyWorld();
  target = await trainedTarget();
  const net = await openScores(32);
  softLabels = (await predictSet(net, world.public)).scores;
  await net.release();
  const opened = openTarget("labels", tinyModel(), target, queryMeter());
  labelled = opened.target;
  return () => opened.release();
});

const openScores = (batch: number) =>
  predictor(IMAGE, batch, (x) => ({ scores: softmax(fixed(target).apply(logitsLayer(tinyModel()), x)) }));

type Change = Readonly<Record<string, number | boolean | string>>;

const train = async (kind: keyof typeof NETWORKS, work: Work, change: Change = {}, start?: StateDict) => {
  const family = (priors as readonly PriorFamily[]).find((member) => member.kind === kind)!;
  const attacked = fixed(target);
  return family.train({
    settings: { ...PRIOR_SETTINGS[kind], ...change },
    shape: { image: IMAGE, classes: IDENTITIES },
    images: world.public,
    target: {
      logits: (x) => attacked.apply(logitsLayer(tinyModel()), x),
      scores: async () => softLabels,
      scorer: openScores,
      labels: (x: Float32Array) => labelled.labels(x),
    },
    ...(start && { start }),
    seed: SEED,
    work,
  });
};

const stateOf = ({ generator, discriminator }: PriorNetworks): StateDict => ({
  ...weightsWithPrefix(GENERATOR, initialState(generator.weights, seedFor(SEED, GENERATOR))),
  ...weightsWithPrefix(DISCRIMINATOR, initialState(discriminator.weights, seedFor(SEED, DISCRIMINATOR))),
});
const firstState = (kind: keyof typeof NETWORKS): StateDict => stateOf(NETWORKS[kind]);

describe.each(priors as readonly PriorFamily[])("$kind", (family) => {
  const kind = family.kind as keyof typeof NETWORKS;
  const run = (work: Work, change?: Change) => train(kind, work, change);
  /** One training from its beginning to its end, for what several tests look at. */
  const whole = once(async () => {
    const work = memoryWork();
    return { work, state: await run(work) };
  });

  test("makes images in [0, 1] of latents and judges each by one number", async () => {
    const prior = world.priors[kind];
    const images = await synthesize(prior, random(1, "z").normals(5 * LATENT), {
      labels: Int32Array.of(0, 1, 2, 3, 4),
      batch: 3,
    });
    expect(images.length).toBe(5 * 3 * 16 * 16);
    expect(images.every((x) => x >= 0 && x <= 1)).toBe(true);
    expect(Math.max(...images) - Math.min(...images)).toBeGreaterThan(0.2);
    const { synthesize: of, naturalness } = fixedPrior(prior);
    const wanted = input("wanted", [4, IDENTITIES]);
    const made = of(input("z", [4, LATENT]), wanted);
    expect(made.shape).toEqual([4, ...IMAGE]);
    expect(naturalness(made, wanted).shape).toEqual([4]);
  });

  test("refuses a size that its networks cannot make", () => {
    const networks = (side: number) =>
      family.networks(family.config.parse({}), { image: [3, side, side], classes: IDENTITIES });
    expect(() => networks(24)).toThrow(UserError);
    expect(() => networks(8)).toThrow(UserError);
    expect(networks(64).image).toEqual([3, 64, 64]);
  });

  test.runIf("kernel" in family.config.shape)("makes the same shapes with kernels of 4 as of 5", () => {
    const wanted = input("wanted", [2, IDENTITIES]);
    for (const kernel of [4, 5]) {
      const nets = family.networks(family.config.parse({ width: 4, latent: LATENT, kernel }), {
        image: [3, 32, 32],
        classes: IDENTITIES,
      });
      const { synthesize: of, naturalness } = fixedPrior({ kind, networks: nets, state: stateOf(nets) });
      const made = of(input("z", [2, LATENT]), wanted);
      expect(made.shape).toEqual([2, 3, 32, 32]);
      expect(naturalness(made, wanted).shape).toEqual([2]);
    }
  });

  test("lowers its discriminator's loss in training and changes every tensor", async () => {
    const { work, state } = await whole();
    const losses = work.steps.map((s) => s.critic ?? s.discriminator ?? Number.NaN);
    expect(losses.length).toBe(12);
    expect(losses.at(-1)!).toBeLessThan(losses[0]!);
    const first = firstState(kind);
    expect(Object.keys(state).toSorted()).toEqual(Object.keys(first).toSorted());
    // A constant added to every score cancels in the loss of a WGAN's critic, and in the hinge loss while no score is beyond the margin;
    // the singular vector of a single row is a sign.
    const idle = ["discriminator/ls.3.bias", "discriminator/l4.bias", "discriminator/l4.weight_u"];
    // Constant noise is drawn once.
    const busy = (names: readonly string[]) =>
      names.filter((name) => !idle.includes(name) && !name.endsWith("noise_const"));
    expect(busy(changedTensors(first, state))).toEqual(busy(Object.keys(first)));
  });

  test("ends with the same weights and rows when it is interrupted and resumed", async () => {
    const { work: unbroken, state } = await whole();
    const resumed = await runWithInterruptions([1, 6], (work) => run(work));
    expect(changedTensors(state, resumed.result)).toEqual([]);
    expect(resumed.work.rows).toEqual(unbroken.rows);
  });

  test("says that it diverged where its rate is absurd", async () => {
    await expect(run(unwatched, { rate: 3e38, criticRate: 3e38 })).rejects.toMatchObject({ name: "DivergedError" });
  });
});

test("priors that are trained against a target have names of their own for it, so that no two are taken for one", () => {
  const names = priors.filter(({ perTarget }) => perTarget).map(({ training }) => training);
  expect(new Set([...names, "prior"]).size).toBe(names.length + 1);
});

test("the running average of a generator follows its weights and statistics as a loop does", async () => {
  const change = { critic: 1, average: 0.3 };
  const averaged = weightsUnder(GENERATOR, await train("dcgan", unwatched, { ...change, steps: 4 }));
  let wanted = weightsUnder(GENERATOR, firstState("dcgan"));
  for (let step = 0; step < 4; step++) {
    const now = weightsUnder(GENERATOR, await train("dcgan", unwatched, { ...change, average: 0, steps: step + 1 }));
    const decay = Math.min((step + 1) / (step + 10), 0.3);
    wanted = Object.fromEntries(
      Object.entries(now).map(([name, { data, shape }]) => [
        name,
        tensor(
          data.map((x, i) => decay * wanted[name]!.data[i]! + (1 - decay) * x),
          shape,
        ),
      ]),
    );
  }
  for (const [name, { data }] of Object.entries(wanted))
    expectAllClose(averaged[name]!.data, data, { relative: 1e-4, absolute: 1e-5 }, name);
});

describe("KEDMI's formulas", () => {
  const [n, k, d] = [3, 4, 5];
  const draw = (name: string, count: number, scale = 1) =>
    random(9, name)
      .normals(count)
      .map((x) => scale * x);
  const rows = (data: Float32Array, width: number) =>
    Array.from({ length: data.length / width }, (_, i) => [...data.subarray(i * width, (i + 1) * width)]);
  const mean = (x: readonly number[]) => x.reduce((a, b) => a + b, 0) / x.length;
  const logSumExp = (row: readonly number[]) => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
  const softplus = (x: number) => Math.log(1 + Math.exp(x));
  const logits = (name: string) => ({ value: input(name, [n, k]), data: draw(name, n * k, 2) });

  test("the discriminator's loss: soft labels, and real against fake by Z", async () => {
    const [labelled, real, fake] = [logits("labelled"), logits("real"), logits("fake")];
    const soft = Float32Array.from(
      rows(draw("soft", n * k), k).flatMap((r) => r.map((x) => Math.exp(x - logSumExp(r)))),
    );
    const loss = kedmiDiscriminatorLoss(labelled.value, input("soft", [n, k]), real.value, fake.value);
    const got = await evaluate(loss, { labelled: labelled.data, soft, real: real.data, fake: fake.data });
    const targets = rows(soft, k);
    const supervised = mean(
      rows(labelled.data, k).map((r, i) => -r.reduce((sum, x, j) => sum + targets[i]![j]! * (x - logSumExp(r)), 0)),
    );
    // −ln D(x) with D = S / (S + 1), S = Σ exp D_k = exp Z; −ln(1 − D(G(z)))
    const probability = (r: readonly number[]) => Math.exp(logSumExp(r)) / (Math.exp(logSumExp(r)) + 1);
    const genuine = mean(rows(real.data, k).map((r) => -Math.log(probability(r))));
    const faked = mean(rows(fake.data, k).map((r) => -Math.log(1 - probability(r))));
    expectAllClose(got, [supervised + 0.5 * (genuine + faked)], { relative: 1e-5 });
  });

  test("the generator's loss: matched mean features and the entropy of fakes' classes", async () => {
    const fake = logits("fake");
    const [f, r] = [draw("f", n * d), draw("r", n * d)];
    const loss = kedmiGeneratorLoss(input("f", [n, d]), input("r", [n, d]), fake.value, 0.25);
    const got = await evaluate(loss, { f, r, fake: fake.data });
    const column = (data: Float32Array, j: number) => mean(rows(data, d).map((row) => row[j]!));
    const matching = mean(Array.from({ length: d }, (_, j) => Math.abs(column(f, j) - column(r, j))));
    const entropy = mean(
      rows(fake.data, k).map((row) =>
        row.reduce((sum, x) => sum - Math.exp(x - logSumExp(row)) * (x - logSumExp(row)), 0),
      ),
    );
    expectAllClose(got, [matching + 0.25 * entropy], { relative: 1e-5 });
  });

  test("minibatch discrimination: how close each image is to the others of its batch", async () => {
    const [kernels, length] = [2, 3];
    const [f, t] = [draw("f", n * d, 0.3), draw("t", d * kernels * length, 0.3)];
    const layer = minibatchDiscrimination("mbd", d, kernels, length);
    const state = { "mbd.T": tensor(t, [d, kernels * length]) };
    const got = await evaluate(fixed(state).apply(layer, input("f", [n, d])), { f });
    const projected = rows(f, d).map((row) =>
      Array.from({ length: kernels * length }, (_, c) =>
        row.reduce((sum, x, j) => sum + x * t[j * kernels * length + c]!, 0),
      ),
    );
    const wanted = rows(f, d).flatMap((row, i) => [
      ...row,
      ...Array.from({ length: kernels }, (_, b) => {
        let closeness = 0;
        for (let j = 0; j < n; j++) {
          if (j === i) continue;
          let distance = 0;
          for (let c = b * length; c < (b + 1) * length; c++)
            distance += Math.abs(projected[i]![c]! - projected[j]![c]!);
          closeness += Math.exp(-distance);
        }
        return closeness;
      }),
    ]);
    expectAllClose(got, wanted, { relative: 1e-5 });
  });

  test("the prior loss of its attack, mean softplus(Z) − mean Z, is minus the naturalness", async () => {
    const { value, data } = logits("d");
    const got = await evaluate(kedmiNets.naturalness(value), { d: data });
    const z = rows(data, k).map(logSumExp);
    expectAllClose([-mean([...got])], [mean(z.map(softplus)) - mean(z)], { relative: 1e-5 });
  });
});

/** Share of the public images whose likeliest class D names as the target does; batches are full, since D looks at whole batches. */
async function classAgreement(state: StateDict): Promise<number> {
  const batch = 16;
  const x = input("x", [batch, ...IMAGE]);
  const net = fixed(weightsUnder(DISCRIMINATOR, state));
  const program = await compile({ outputs: { logits: net.apply(kedmiNets.discriminator, x) } });
  const best = (values: ArrayLike<number>, row: number) => {
    const scores = Array.from({ length: IDENTITIES }, (_, j) => values[row * IDENTITIES + j]!);
    return scores.indexOf(Math.max(...scores));
  };
  let agreed = 0;
  for await (const { images, indices } of all(world.public, batch)) {
    const { logits } = await program.run({ x: images });
    for (const [i, at] of indices.entries()) if (best(logits!.data, i) === best(softLabels, at)) agreed++;
  }
  await program.release();
  return agreed / world.public.size;
}

test("KEDMI's discriminator learns the classes that the target sees in public images", async () => {
  const before = await classAgreement(firstState("kedmi"));
  const after = await classAgreement(await train("kedmi", unwatched, { steps: 40 }));
  expect(after).toBeGreaterThan(Math.max(before, 1 / IDENTITIES) + 0.3);
});

test("KEDMI's generator starts from the public prior where its shapes fit and it is told to", async () => {
  const start = world.priors.dcgan.state;
  // So small a rate that the weights of generator layers stay where they start.
  const still = { steps: 1, critic: 1, rate: 1e-30 };
  const weights = (state: StateDict) =>
    Object.fromEntries(
      Object.entries(state).filter(([name]) => name.startsWith(GENERATOR) && name.endsWith("0.weight")),
    );
  const given = weights(start);
  expect(changedTensors(given, await train("kedmi", unwatched, still, start))).toEqual([]);
  expect(changedTensors(given, await train("kedmi", unwatched, { ...still, resume: false }, start))).toEqual(
    Object.keys(given),
  );
  const narrow = Object.fromEntries(
    Object.entries(start).map(([name, t]) => [name, tensor(t.data, [t.data.length, 1])]),
  );
  expect(changedTensors(weights(firstState("kedmi")), await train("kedmi", unwatched, still, narrow))).toEqual([]);
});

describe.each(["plg", "tacgan"] as const)("%s from the public prior", (kind) => {
  const start = () => world.priors.dcgan.state;
  const change = { from: "dcgan", width: 8, criticWidth: 4, settle: 3, steps: 6, critic: 1 };

  test("only its discriminator learns before the generator's first step", async () => {
    const still = { ...change, steps: 1, rate: 1e-30, criticRate: 1e-3 };
    const state = await train(kind, unwatched, still, start());
    const kernels = (of: StateDict) =>
      Object.fromEntries(Object.entries(of).filter(([name]) => /^generator\/.*0\.weight$/.test(name)));
    expect(Object.keys(kernels(start())).length).toBe(2);
    expect(changedTensors(kernels(start()), state)).toEqual([]);
    const unsettled = await train(kind, unwatched, { ...still, settle: 0 }, start());
    const trunk = "discriminator/block1.c1.weight";
    expect(changedTensors({ [trunk]: unsettled[trunk]! }, state), "more steps, other weights").toEqual([trunk]);
  });

  test("keeps all of the prior but what its batch norms say of classes where only that learns", async () => {
    const first = await train(kind, unwatched, { ...change, steps: 1, rate: 1e-30 }, start());
    const state = await train(kind, unwatched, { ...change, learns: "norms", rate: 1e-2 }, start());
    const learnt = changedTensors(first, state).filter((name) => /^generator\/.*(weight|bias)$/.test(name));
    const norms = ["l1.1", "l2_5.0.1"].flatMap((norm) => [
      `generator/${norm}.weights.weight`,
      `generator/${norm}.biases.weight`,
    ]);
    expect(learnt.toSorted()).toEqual(norms.toSorted());
  });

  test("ends with the same weights when it is interrupted and resumed", async () => {
    const unbroken = await train(kind, unwatched, change, start());
    const { result } = await runWithInterruptions([1, 4], (work) => train(kind, work, change, start()));
    expect(changedTensors(unbroken, result)).toEqual([]);
  });
});

test("PLG-MI's generator learns what the public images of each class look like", async () => {
  const [count, colours, pixels] = [96, 3, 16 * 16];
  const rng = random(SEED, "colours");
  // Class k is red, green or blue, in shades.
  const labels = Int32Array.from({ length: count }, (_, i) => i % colours);
  const bytes = Uint8Array.from({ length: count * colours * pixels }, (_, at) => {
    const channel = Math.floor(at / pixels) % colours;
    const own = channel === labels[Math.floor(at / (colours * pixels))];
    return (own ? 200 : 60) + Math.floor(30 * rng.uniform());
  });
  const images = memorySet({ ...world.public, name: "colours", labels, bytes, classes: ["red", "green", "blue"] });
  const settings = plg.config.parse({
    ...PRIOR_SETTINGS.plg,
    steps: 250,
    critic: 1,
    rate: 5e-3,
    top: 32,
    inversion: 0,
  });
  const networks = plg.networks(settings, { image: IMAGE, classes: colours });
  const scores = Float32Array.from({ length: count * colours }, (_, at) =>
    labels[Math.floor(at / colours)] === at % colours ? 1 : 0,
  );
  const logits = (x: Value) => mean(x, [2, 3]);
  const common = { networks, images, scores, logits, classes: colours, settings, seed: SEED };
  const state = await trainPlg({ ...common, work: unwatched });
  const z = random(1, "z").normals(count * LATENT);
  const made = await synthesize({ kind: "plg", networks, state }, z, { labels });
  const brightness = (i: number, channel: number) =>
    made.subarray((i * colours + channel) * pixels, (i * colours + channel + 1) * pixels).reduce((a, b) => a + b, 0);
  const right = labels.filter((label, i) =>
    [0, 1, 2].every((channel) => channel === label || brightness(i, channel) < brightness(i, label)),
  );
  expect(right.length / count).toBeGreaterThan(0.8);
});

test("PLG-MI's generator is drawn towards images that the target takes for the class", async () => {
  const recognised = async (inversion: number) => {
    const state = await train("plg", unwatched, { steps: 140, critic: 1, flip: 0, rate: 2e-3, inversion });
    const labels = Int32Array.from({ length: 64 }, (_, i) => i % IDENTITIES);
    const z = random(1, "z").normals(64 * LATENT);
    const images = await synthesize({ kind: "plg", networks: NETWORKS.plg, state }, z, { labels });
    const net = await classifierPredictor(tinyModel(), target);
    const { logits } = await net.predict(images, 64);
    await net.release();
    return hits(logits, labels, IDENTITIES, 1).reduce((sum, hit) => sum + hit, 0) / 64;
  };
  expect(await recognised(10)).toBeGreaterThan((await recognised(0)) + 0.2);
});

describe("PLG-MI's formulas", () => {
  test("hinge loss as by hand", async () => {
    const [real, fake] = [Float32Array.of(2, 0.5, -1), Float32Array.of(-2, 0.25, 1)];
    const loss = hingeLoss(input("real", [3]), input("fake", [3]));
    expectAllClose(await evaluate(loss, { real, fake }), [(0 + 0.5 + 2) / 3 + (0 + 1.25 + 2) / 3], { relative: 1e-6 });
  });

  test("every class gets the public images that the target is surest of", () => {
    const scores = Float32Array.from({ length: world.public.size * 2 }, (_, i) => Math.abs(Math.sin(i * 7)));
    const labelled = pseudoLabelled(world.public, scores, 2, 3);
    expect([...labelled.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    const ranked = (label: number) =>
      [...Array(world.public.size).keys()].toSorted((a, b) => scores[b * 2 + label]! - scores[a * 2 + label]!);
    const length = IMAGE[0] * IMAGE[1] * IMAGE[2];
    const read = async (set: typeof labelled, indices: number[]) => {
      const bytes = new Uint8Array(indices.length * length);
      await set.read(indices, bytes);
      return bytes;
    };
    return Promise.all([
      read(labelled, [0, 1, 2, 3, 4, 5]),
      read(
        world.public,
        [0, 1].flatMap((k) => ranked(k).slice(0, 3)),
      ),
    ]).then(([got, wanted]) => expect(got).toEqual(wanted));
  });

  test("a conditional prior is asked for the class of each latent", async () => {
    await expect(synthesize(world.priors.plg, new Float32Array(2 * LATENT))).rejects.toThrow(/a class for each of 2/);
    const z = new Float32Array(2 * LATENT).fill(0.1);
    const images = await synthesize(world.priors.plg, z, { labels: Int32Array.of(0, 1) });
    expect(images.subarray(0, images.length / 2)).not.toEqual(images.subarray(images.length / 2));
  });
});
