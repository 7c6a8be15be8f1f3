import { beforeAll, describe, expect, test } from "vitest";
import { trainableParameters } from "../../src/defenses/boundary.ts";
import { composeDefenses, withBoundary } from "../../src/defenses/compose.ts";
import { changedFrozenTensors, trainTarget } from "../../src/defenses/train-target.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { DivergedError, unwatched, type Work } from "../../src/engine/work.ts";
import { countWeights, initialState } from "../../src/models/bind.ts";
import { splitAt, weightsOf } from "../../src/models/model.ts";
import { chosen, compose, type Kind, original, type Part } from "../support/composed.ts";
import { memoryWork, runWithInterruptions } from "../support/memory-work.ts";
import { once } from "../support/once.ts";
import { pick } from "../support/pick.ts";
import { changedTensors } from "../support/same-bits.ts";
import { IDENTITIES, pretrainedWeights, TINY_TRAINING, type TinyWorld, tinyWorld } from "../support/tiny-world.ts";

const variants: Readonly<Record<Kind, readonly object[]>> = {
  none: [{}, { start: "scratch" }],
  "tl-dmi": [
    { freeze: "layer1" },
    { freeze: "layer2", probeEpochs: 1 },
    { freeze: "layer2", frozenNorms: "train" },
    { freeze: "layer1", frozenNorms: "train", probeEpochs: 1 },
  ],
  "label-smoothing": [{ alpha: 0.2 }, {}],
  "bido-hsic": [{}, { lambdaX: 0.2, stages: ["layer2"], labelKernel: "gaussian" }],
  "bido-coco": [{}, { lambdaX: 5, kernel: "imq" }],
  mid: [{ width: 6 }],
  midre: [{ maxArea: 0.3 }],
  rolss: [{}],
  ssf: [{}],
  tts: [{ firstEpochs: 1 }],
  "low-rank": [{ rank: 5 }],
  "dp-sgd": [{ noiseMultiplier: 0.3, microbatch: 5 }],
  "at-at": [{ iterations: 2 }],
  "trap-mid": [{}],
  sca: [{ features: 4, kernel: 3, iterations: 4 }],
  round: [{}],
  "top-1": [{}],
  ssd: [{}],
};

/** Defenses of one target. */
const combinations: readonly (readonly Part[])[] = [
  [["tl-dmi", { freeze: "layer1", probeEpochs: 1 }], ["label-smoothing"]],
  [["sca", { features: 3, kernel: 3, iterations: 2 }], ["rolss"], ["mid", { width: 6 }]],
  [["tl-dmi", { freeze: "layer1" }], ["trap-mid"], ["bido-coco", { stages: ["layer2"] }]],
  [["tl-dmi", { freeze: "layer2" }], ["bido-hsic"], ["label-smoothing", { alpha: 0.1 }]],
  [["tl-dmi", { freeze: "layer1" }], ["mid"], ["midre", { maxArea: 0.15, fill: "random" }]],
  [
    ["tts", { firstEpochs: 1 }],
    ["low-rank", { rank: 6 }],
  ],
  [
    ["tl-dmi", { freeze: "layer1", probeEpochs: 1 }],
    ["dp-sgd", { noiseMultiplier: 0.3 }],
    ["label-smoothing", { alpha: 0.1 }],
  ],
];

/** Whether a defense is one of answers alone, which leaves training as it is. */
const answersOnly = (part: Part) => compose(part).recipe.outputs !== undefined;

const parts = Object.entries(variants).flatMap(([kind, configs]) =>
  configs.map((config): Part => [kind as Kind, config]),
);

const cases = [...parts.filter((part) => !answersOnly(part)).map((part) => [part]), ...combinations].map((parts) => ({
  name: parts.map((part) => part.map((x) => JSON.stringify(x)).join(" ")).join(" with "),
  parts,
}));

let world: TinyWorld;
let pretrained: StateDict;

beforeAll(async () => {
  world = await tinyWorld();
  pretrained = await pretrainedWeights();
});

describe.each(cases)("$name", ({ parts }) => {
  const { model, recipe } = compose(...parts);
  const { frozen, rest } = splitAt(model, recipe.boundary);
  const named = (kind: "weight" | "buffer", { weights } = frozen) =>
    weights.filter((w) => w.kind === kind).map((w) => w.name);
  const run = (work: Work, change: Partial<typeof TINY_TRAINING> = {}) =>
    trainTarget({
      work,
      model,
      recipe,
      pretrained,
      train: world.train,
      validation: world.validation,
      settings: { ...TINY_TRAINING, ...change },
      seed: 3,
    });

  /** One training from its beginning to its end, for what several tests look at. */
  const whole = once(async () => {
    const work = memoryWork();
    return { work, after: await run(work) };
  });

  test("learns the private identities with what it leaves trainable, and freezes what it says", async () => {
    const { work, after } = await whole();
    const rows = work.rows.filter((row) => row.training === "target");
    expect(Number(rows.at(-1)!.score)).toBeGreaterThan(Number(rows[0]!.score) + 0.1);
    expect(Math.max(...rows.map((row) => Number(row.validation)))).toBeGreaterThan(3 / IDENTITIES);

    expect(Object.keys(after).toSorted()).toEqual(
      weightsOf(model)
        .map((w) => w.name)
        .toSorted(),
    );
    expect(changedTensors(pick(named("weight"), pretrained), after), "frozen weights that changed").toEqual([]);
    const followed = changedTensors(pick(named("buffer"), pretrained), after);
    expect(followed, "frozen statistics that changed").toEqual(recipe.frozenNorms === "train" ? named("buffer") : []);
    expect(changedFrozenTensors(model, recipe, pretrained, after)).toEqual([]);

    // Statistics of private images would pass by the noise.
    const still = recipe.privacy === undefined ? [] : named("buffer", rest);
    expect(changedTensors(pick(still, pretrained), after), "statistics that changed").toEqual([]);
    const trained = [...named("weight", rest), ...named("buffer", rest)].filter((name) => !still.includes(name));
    const carried = trained.filter((name) => pretrained[name] !== undefined);
    expect(changedTensors(pick(carried, pretrained), after), "trained tensors that changed").toEqual(carried);
    const start = initialState(weightsOf(model), 3);
    expect(changedTensors(pick(trained, start), after), "trained tensors that left their first draw").toEqual(trained);
  });

  test("counts every parameter as trainable or as frozen", () => {
    expect(trainableParameters(model, recipe.boundary) + countWeights(frozen.weights)).toBe(
      countWeights(weightsOf(model)),
    );
  });

  test("ends with the same weights and rows when it is interrupted and resumed", async () => {
    const { work: unbroken, after } = await whole();
    const resumed = await runWithInterruptions([3, 9], (work) => run(work));
    expect(changedTensors(after, resumed.result)).toEqual([]);
    expect(resumed.work.rows).toEqual(unbroken.rows);
  });

  test("says that it diverged where the learning rate is absurd", async () => {
    const absurd = run(unwatched, { rate: 1e38, weightDecay: 1, epochs: 2 });
    await expect(absurd).rejects.toThrow(DivergedError);
  });
});

const answering = parts.filter(answersOnly).map((part) => [part[0], part] as const);

test.each(answering)("%s trains as an undefended model does", (_kind, part) => {
  const { settings, model: same, recipe } = compose(part);
  expect(settings).toEqual(compose(["none"]).settings);
  expect(same).toBe(original);
  expect(Object.keys(recipe).filter((key) => key !== "outputs")).toEqual(Object.keys(compose(["none"]).recipe));
});

test("the check of frozen tensors finds what fine-tuning of every weight changes", async () => {
  const all = { start: "pretrained", boundary: null, probeEpochs: 0, frozenNorms: "eval" } as const;
  const settings = { ...TINY_TRAINING, epochs: 1 };
  const { train, validation } = world;
  const tuned = await trainTarget({
    work: unwatched,
    model: original,
    recipe: all,
    pretrained,
    train,
    validation,
    settings,
    seed: 3,
  });
  const frozen = splitAt(original, "layer2").frozen.weights.map((w) => w.name);
  expect(changedFrozenTensors(original, { ...all, boundary: "layer2" }, pretrained, tuned)).toEqual(frozen);
});

test("a step so small that nothing is learnt shows where weights start: pre-trained stages, a fresh head", async () => {
  const { train, validation } = world;
  const settings = { ...TINY_TRAINING, epochs: 0.01, rate: 1e-30, weightDecay: 0 };
  const common = { work: unwatched, model: original, pretrained, train, validation, settings, seed: 3 };
  const start = (start: "pretrained" | "scratch") =>
    trainTarget({ ...common, recipe: { start, boundary: null, probeEpochs: 0, frozenNorms: "eval" } });
  // Biases begin at zero, where the smallest step shows.
  const names = weightsOf(original).flatMap((w) => (w.kind === "weight" && !w.name.endsWith(".bias") ? [w.name] : []));
  const first = initialState(weightsOf(original), 3);
  expect(changedTensors(pick(names, pretrained), await start("pretrained"))).toEqual(["fc.weight"]);
  expect(changedTensors(pick(names, first), await start("scratch"))).toEqual([]);
});

test("a freeze boundary that is left to Fisher information is open until a stage has been put in its place", async () => {
  const open = [chosen(["tl-dmi", { freeze: "auto" }]), chosen(["rolss", { group: "layer2" }])];
  const { recipe, label, model } = composeDefenses(original, open);
  expect([recipe.boundary, label]).toEqual(["auto", "tl-dmi auto + rolss"]);
  const { train, validation } = world;
  const common = { work: unwatched, pretrained, train, validation, settings: TINY_TRAINING, seed: 3 };
  await expect(trainTarget({ ...common, model, recipe })).rejects.toThrow('no stage "auto"');
  expect(composeDefenses(original, withBoundary(open, "layer1.0")).recipe.boundary).toBe("layer1.0");
  expect(() => composeDefenses(original, withBoundary(open, "layer2.0"))).toThrow(/both reshaped and frozen/);
});
