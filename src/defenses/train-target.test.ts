import { beforeAll, describe, expect, test } from "vitest";
import { IDENTITIES, TINY_TRAINING, type TinyWorld, tinyModel, tinyWorld } from "../../test/support/tiny-world.ts";
import { UserError } from "../engine/errors.ts";
import { softmax } from "../engine/ops/activation.ts";
import { mul } from "../engine/ops/elementwise.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched } from "../engine/work.ts";
import { initialState } from "../models/bind.ts";
import { constantInitial } from "../models/initial.ts";
import { batchNorm, learned, linear, sequential } from "../models/layers.ts";
import { maxvitT } from "../models/maxvit.ts";
import { type Model, weightsOf } from "../models/model.ts";
import type { TrainingSettings } from "../models/training.ts";
import { vgg16Bn } from "../models/vgg.ts";
import type { Recipe } from "./defense.ts";
import { privateSteps } from "./private-steps.ts";
import { trainTarget } from "./train-target.ts";

const tiny = tinyModel();
let world: TinyWorld;

beforeAll(async () => {
  world = await tinyWorld();
});

const SEED = 3;
const PLAIN: Recipe = { start: "pretrained", boundary: null, probeEpochs: 0, frozenNorms: "eval" };
const PRIVATE = { noiseMultiplier: 1, clip: 1, delta: 1e-5 };
const dpSgd: Recipe = { ...PLAIN, steps: privateSteps({ ...PRIVATE, microbatch: 16 }), privacy: PRIVATE };

const trained = (model: Model, recipe: Recipe, pretrained: StateDict, settings: Partial<TrainingSettings>) =>
  trainTarget({
    work: unwatched,
    model,
    recipe,
    pretrained,
    train: world.train,
    validation: world.validation,
    settings: { ...TINY_TRAINING, ...settings },
    seed: SEED,
  });

describe("a neck", () => {
  const neck = batchNorm("neck", tiny.features);
  const anew: Model = { ...tiny, neck, head: sequential(neck, linear("fc", tiny.features, IDENTITIES)) };
  const kept: Model = { ...anew, neckFromStart: true };
  const publicWeights: StateDict = Object.fromEntries(
    Object.entries(initialState(weightsOf(anew), 9)).map(([name, t]) => [
      name,
      name.startsWith("neck.") ? { ...t, data: t.data.map((x) => x + 0.5) } : t,
    ]),
  );
  /** What a training of steps too short to move anything begins with. */
  const startOf = async (model: Model, recipe: Recipe) => {
    const state = await trained(model, recipe, publicWeights, { epochs: 0.01, rate: 1e-30, weightDecay: 0 });
    return [...new Set(state["neck.weight"]!.data)];
  };

  test("begins anew with the head, unless the architecture says that it belongs to the start weights", async () => {
    expect(await startOf(anew, PLAIN)).toEqual([1]);
    expect(await startOf(kept, PLAIN)).toEqual([1.5]);
  });

  test("is the start weights' where steps are private, which measure no statistics", async () => {
    const state = await trained(anew, dpSgd, publicWeights, { epochs: 0.01, rate: 1e-30, weightDecay: 0 });
    expect([...new Set(state["neck.running_mean"]!.data)]).toEqual([0.5]);
    expect([...new Set(state["neck.running_var"]!.data)]).toEqual([1.5]);
  });

  test("of MaxViT goes with the start weights, as torchvision's fine-tuning has it, that of VGG does not", () => {
    const shape = { input: [3, 64, 64], classes: 5 } as const;
    expect(maxvitT.build({ width: 4, partition: 2 }, shape).neckFromStart).toBe(true);
    expect(vgg16Bn.build({ width: 4 }, shape).neckFromStart).toBeUndefined();
  });
});

describe("a training in two phases", () => {
  const phases = (epochs: number): Recipe => ({ ...PLAIN, first: { model: tiny, epochs } });
  const start = initialState(weightsOf(tiny), 9);

  test("smooths targets by one schedule over both", async () => {
    const asked: string[] = [];
    const share = (epoch: number, epochs: number) => {
      const what = `${epoch} of ${epochs}`;
      if (asked.at(-1) !== what) asked.push(what);
      return 0.1;
    };
    const smoothing = { share, settled: () => 0 };
    await trained(tiny, { ...phases(1), smoothing }, start, { epochs: 3 });
    expect(asked).toEqual(["0 of 3", "1 of 3", "2 of 3"]);
  });

  test("warms up in the first alone", async () => {
    const settings = { epochs: 2, warmup: 1e9, weightDecay: 0, optimizer: "sgd", rate: 0.05 } as const;
    const { "fc.weight": moved } = await trained(tiny, phases(1), start, settings);
    const first = initialState(weightsOf(tiny), SEED)["fc.weight"]!;
    expect(Math.max(...moved!.data.map((x, i) => Math.abs(x - first.data[i]!)))).toBeGreaterThan(1e-3);
  });
});

test("private steps of a model whose images have no gradients of their own name the model", async () => {
  const mixed = sequential(linear("fc", tiny.features, IDENTITIES), {
    weights: [learned("gate.weight", [IDENTITIES], constantInitial(1))],
    apply: (x, c) => mul(x, softmax(c.weight("gate.weight"))),
  });
  const model: Model = { ...tiny, kind: "mine", head: mixed };
  const found = trained(model, dpSgd, initialState(weightsOf(model), 9), { epochs: 0.01 });
  await expect(found).rejects.toThrow(UserError);
  await expect(found).rejects.toThrow(/^mine: .*no rule for per-example gradients/);
});
