import { beforeAll, describe, expect, test } from "vitest";
import { boundaryOf, trainableParameters } from "../../src/defenses/boundary.ts";
import { type ChosenDefense, composeDefenses } from "../../src/defenses/compose.ts";
import type { Defense } from "../../src/defenses/defense.ts";
import { defenses } from "../../src/defenses/index.ts";
import { tlDmi } from "../../src/defenses/tl-dmi.ts";
import { changedFrozenTensors, trainTarget } from "../../src/defenses/train-target.ts";
import { UserError } from "../../src/engine/errors.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { DivergedError, unwatched, type Work } from "../../src/engine/work.ts";
import { countWeights, initialState } from "../../src/models/bind.ts";
import { models } from "../../src/models/index.ts";
import { type Model, type ModelFamily, splitAt, weightsOf } from "../../src/models/model.ts";
import { memoryWork, runWithInterruptions } from "../support/memory-work.ts";
import { changedTensors } from "../support/same-bits.ts";
import { IDENTITIES, TINY_TRAINING, type TinyWorld, tinyModel, tinyWorld, trainTiny } from "../support/tiny-world.ts";

/** Variants of each defense at the tiny model's size; a missing defense does not compile. */
const variants: Readonly<Record<(typeof defenses)[number]["kind"], readonly object[]>> = {
  none: [{}, { start: "scratch" }],
  "tl-dmi": [
    { freeze: "layer1" },
    { freeze: "layer2", probeEpochs: 1 },
    { freeze: "layer2", frozenNorms: "train" },
    { freeze: "layer1", frozenNorms: "train", probeEpochs: 1 },
  ],
  "label-smoothing": [{ alpha: 0.2 }, {}],
};

type Part = readonly [kind: keyof typeof variants, config?: object];

/** Defenses of one target. */
const combinations: readonly (readonly Part[])[] = [
  [["tl-dmi", { freeze: "layer1", probeEpochs: 1 }], ["label-smoothing"]],
];

const chosen = ([kind, config = {}]: Part): ChosenDefense => {
  const member = (defenses as readonly Defense[]).find((d) => d.kind === kind)!;
  return { member, config: member.config.parse(config) };
};
const compose = (...parts: readonly Part[]) => composeDefenses(model, parts.map(chosen));

const cases = [
  ...Object.entries(variants).flatMap(([kind, configs]) => configs.map((config) => [[kind, config] as Part])),
  ...combinations,
].map((parts) => ({ name: parts.map((part) => part.map((x) => JSON.stringify(x)).join(" ")).join(" with "), parts }));

const model = tinyModel();
let world: TinyWorld;
let pretrained: StateDict;

beforeAll(async () => {
  world = await tinyWorld();
  pretrained = await trainTiny(model, world.public, 7);
});

const pick = (names: readonly string[], state: StateDict): StateDict =>
  Object.fromEntries(names.map((name) => [name, state[name]!]));

describe.each(cases)("$name", ({ parts }) => {
  const { recipe } = compose(...parts);
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

  test("learns the private identities with what it leaves trainable, and freezes what it says", async () => {
    const work = memoryWork();
    const after = await run(work);
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

    const trained = [...named("weight", rest), ...named("buffer", rest)];
    expect(changedTensors(pick(trained, pretrained), after), "trained tensors that changed").toEqual(trained);
    const start = initialState(weightsOf(model), 3);
    expect(changedTensors(pick(trained, start), after), "trained tensors that left their first draw").toEqual(trained);
  });

  test("counts every parameter as trainable or as frozen", () => {
    expect(trainableParameters(model, recipe.boundary) + countWeights(frozen.weights)).toBe(
      countWeights(weightsOf(model)),
    );
  });

  test("ends with the same weights and rows when it is interrupted and resumed", async () => {
    const unbroken = memoryWork();
    const wanted = await run(unbroken, { epochs: 3 });
    const resumed = await runWithInterruptions([3, 9], (work) => run(work, { epochs: 3 }));
    expect(changedTensors(wanted, resumed.result)).toEqual([]);
    expect(resumed.work.rows).toEqual(unbroken.rows);
  });

  test("says that it diverged where the learning rate is absurd", async () => {
    const absurd = run(unwatched, { rate: 1e38, weightDecay: 1, epochs: 2 });
    await expect(absurd).rejects.toThrow(DivergedError);
  });
});

test("the check of frozen tensors finds what fine-tuning of every weight changes", async () => {
  const all = { start: "pretrained", boundary: null, probeEpochs: 0, frozenNorms: "eval" } as const;
  const settings = { ...TINY_TRAINING, epochs: 1 };
  const { train, validation } = world;
  const tuned = await trainTarget({
    work: unwatched,
    model,
    recipe: all,
    pretrained,
    train,
    validation,
    settings,
    seed: 3,
  });
  const frozen = splitAt(model, "layer2").frozen.weights.map((w) => w.name);
  expect(changedFrozenTensors(model, { ...all, boundary: "layer2" }, pretrained, tuned)).toEqual(frozen);
});

test("a step so small that nothing is learnt shows where weights start: pre-trained stages, a fresh head", async () => {
  const { train, validation } = world;
  const settings = { ...TINY_TRAINING, epochs: 0.01, rate: 1e-30, weightDecay: 0 };
  const common = { work: unwatched, model, pretrained, train, validation, settings, seed: 3 };
  const start = (start: "pretrained" | "scratch") =>
    trainTarget({ ...common, recipe: { start, boundary: null, probeEpochs: 0, frozenNorms: "eval" } });
  // Biases begin at zero, where the smallest step shows.
  const names = weightsOf(model).flatMap((w) => (w.kind === "weight" && !w.name.endsWith(".bias") ? [w.name] : []));
  const first = initialState(weightsOf(model), 3);
  expect(changedTensors(pick(names, pretrained), await start("pretrained"))).toEqual(["fc.weight"]);
  expect(changedTensors(pick(names, first), await start("scratch"))).toEqual([]);
});

describe("a freeze boundary", () => {
  const family = (kind: string) => (models as readonly ModelFamily[]).find((m) => m.kind === kind)!;
  const build = (kind: string): Model =>
    family(kind).build(family(kind).config.parse({ width: 4 }), { input: [3, 32, 32], classes: 5 });
  const resnet = build("resnet18");
  const boundary = (freeze: unknown, of = resnet) => boundaryOf(tlDmi.config.parse({ freeze }).freeze, of);

  test("is a stage, or the last stage of a group", () => {
    expect(boundary("layer3.0")).toBe("layer3.0");
    expect(boundary("layer3")).toBe("layer3.1");
    expect(boundary("stem")).toBe("stem");
    expect(boundary("block4", build("vgg16_bn"))).toBe("block4.conv3");
  });

  test("of an unknown name is refused with the names there are", () => {
    expect(() => boundary("layer5")).toThrow(UserError);
    expect(() => boundary("layer5")).toThrow(/no stage "layer5".*stem, layer1\.0.*layer4\.1/);
    // A beginning of a name is no name.
    expect(() => boundary("layer")).toThrow(UserError);
  });

  test("for a parameter budget freezes as little as meets it", () => {
    const names = resnet.stages.map((s) => s.name);
    for (const budget of [40_000, 15_000, trainableParameters(resnet, "layer2.0")]) {
      const at = names.indexOf(boundary({ maxTrainable: budget }));
      expect(trainableParameters(resnet, names[at]!)).toBeLessThanOrEqual(budget);
      expect(trainableParameters(resnet, names[at - 1] ?? null)).toBeGreaterThan(budget);
    }
  });

  test("for a budget below the head's own size is refused with that size", () => {
    expect(trainableParameters(resnet, "layer4.1")).toBe(32 * 5 + 5);
    expect(boundary({ maxTrainable: 165 })).toBe("layer4.1");
    expect(() => boundary({ maxTrainable: 164 })).toThrow(/at most 164 .* the head alone has 165/);
  });

  test("for a share of the layers freezes as much as stays within it", () => {
    // Layers with weights: conv and norm of the stem, 4 a block, 2 a shortcut, the head: 2 + 32 + 6 + 1 = 41.
    expect(boundary({ fraction: 0.5 })).toBe("layer2.1"); // 2 + 8 + 10 = 20 of 41; with layer3.0 26
    expect(boundary({ fraction: 20 / 41 })).toBe("layer2.1");
    expect(boundary({ fraction: 19 / 41 })).toBe("layer2.0");
    expect(() => boundary({ fraction: 0.01 })).toThrow(/fraction of 0\.01 freezes nothing/);
  });

  test("splits the parameters at every stage without losing one", () => {
    for (const built of [resnet, build("vgg16_bn")]) {
      for (const name of [null, ...built.stages.map((s) => s.name)]) {
        const { frozen } = splitAt(built, name);
        expect(countWeights(frozen.weights) + trainableParameters(built, name)).toBe(countWeights(weightsOf(built)));
      }
    }
  });

  test.each([[""], [{ maxTrainable: 0 }], [{ maxTrainable: 1.5 }], [{ fraction: 0 }], [{ fraction: 1 }], [3], [{}]])(
    "cannot be %j",
    (freeze) => {
      expect(tlDmi.config.safeParse({ freeze }).success).toBe(false);
    },
  );
});
