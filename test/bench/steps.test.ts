import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { AttackSpec, EpochSpec, FisherSpec, GanSpec, PlgGanSpec, TrainSpec } from "../../bench/case.ts";
import { epochJob } from "../../bench/epoch.ts";
import { prepare } from "../../bench/prepare.ts";
import { buildStep, type StepSpec } from "../../bench/steps/index.ts";
import { buildClassifier } from "../../bench/steps/model.ts";
import { dcganSettings, plgSettings, priorNetworks, priorOf } from "../../bench/steps/prior.ts";
import { targetOf } from "../../bench/steps/target.ts";
import { settings } from "../../bench/steps/train.ts";
import type { Attack } from "../../src/attacks/attack.ts";
import { gmi } from "../../src/attacks/gmi.ts";
import { kedmi } from "../../src/attacks/kedmi.ts";
import { plgMi } from "../../src/attacks/plg-mi.ts";
import { runAttack } from "../../src/attacks/run-attack.ts";
import { memorySet } from "../../src/data/memory-set.ts";
import { bidoHsic } from "../../src/defenses/bido-hsic.ts";
import type { Recipe } from "../../src/defenses/defense.ts";
import { trainTarget } from "../../src/defenses/train-target.ts";
import { grad } from "../../src/engine/autodiff.ts";
import { printGraph } from "../../src/engine/print.ts";
import * as runtime from "../../src/engine/runtime.ts";
import { unwatched } from "../../src/engine/work.ts";
import { fisherMeter } from "../../src/fisher/fisher.ts";
import { weightsOf } from "../../src/models/model.ts";
import { weightsUnder } from "../../src/priors/prior.ts";
import { trainPlg } from "../../src/priors/train-plg.ts";
import { trainWganGp } from "../../src/priors/train-wgan-gp.ts";

// The benchmark builds its steps itself, to take turns with the peer step by step. Here each is held against the graph that the
// package's own training or attack compiles: a step that only the benchmark takes would be worth nothing.

vi.mock(import("../../src/engine/runtime.ts"), async (original) => {
  const actual = await original();
  return { ...actual, compile: vi.fn(actual.compile) };
});

afterEach(() => vi.clearAllMocks());

class Captured extends Error {}

/** The graphs that `run` compiles, as text; it is stopped at the `last`-th. */
async function compiledBy(run: () => Promise<unknown>, last = 1): Promise<string[]> {
  const graphs: string[] = [];
  const stub = { run: () => Promise.reject(new Captured()), release: async () => {} };
  vi.mocked(runtime.compile).mockImplementation(async ({ outputs, updates }) => {
    graphs.push(textOf({ outputs, updates: updates ?? {} }));
    if (graphs.length === last) throw new Captured();
    return stub;
  });
  await expect(run()).rejects.toThrow(Captured);
  return graphs;
}

const textOf = ({ outputs, updates }: Pick<ReturnType<typeof buildStep>, "outputs" | "updates">) =>
  printGraph({ ...outputs, ...Object.fromEntries(Object.entries(updates).map(([n, v]) => [`update ${n}`, v])) });

const SIDE = 32;
const classifier = { model: "resnet10", width: 8, side: SIDE, classes: 6 } as const;
const prior = { side: SIDE, batch: 4, priorWidth: 8 } as const;
const built = (spec: StepSpec) => textOf(buildStep(spec, prepare(spec)));

const noise = memorySet({
  name: "noise",
  channels: 3,
  height: SIDE,
  width: SIDE,
  classes: ["a", "b", "c", "d", "e", "f"],
  labels: Int32Array.from({ length: 12 }, (_, i) => i % 6),
  bytes: new Uint8Array(12 * 3 * SIDE * SIDE),
});

/** The graph of a step of a target's training, as it is compiled; `recipe` is what a defense adds to a plain one. */
async function trained(
  spec: TrainSpec | EpochSpec,
  { recipe = {}, ...rest }: { readonly recipe?: Partial<Recipe>; readonly featureMemory?: number } = {},
): Promise<string> {
  const model = buildClassifier(spec);
  const state = prepare(spec);
  const [graph] = await compiledBy(() =>
    trainTarget({
      work: unwatched,
      model,
      recipe: { start: "pretrained", boundary: spec.boundary, probeEpochs: 0, frozenNorms: "eval", ...recipe },
      pretrained: Object.fromEntries(weightsOf(model).map(({ name }) => [name, state[name]!])),
      train: noise,
      validation: noise,
      settings: { ...settings, batch: 4 },
      seed: 1,
      ...rest,
    }),
  );
  return graph!;
}

test.each([null, "layer1", "layer3"])(
  "a training step with boundary %s is that of the target's training where images go through the whole network",
  async (boundary) => {
    const spec: TrainSpec = { kind: "train", ...classifier, batch: 4, boundary };
    expect(built(spec)).toBe(await trained(spec, { featureMemory: 0 }));
  },
);

test("a training step of a network of bottlenecks is that of the target's training", async () => {
  const spec: TrainSpec = { kind: "train", ...classifier, model: "resnet50", batch: 4, boundary: null };
  expect(built(spec)).toBe(await trained(spec, { featureMemory: 0 }));
});

test("a step of BiDO is that of its training", async () => {
  const spec: TrainSpec = { kind: "train", ...classifier, batch: 4, boundary: null, defense: "bido-hsic" };
  const recipe = bidoHsic.recipe(bidoHsic.config.parse({}), buildClassifier(spec));
  expect(built(spec)).toBe(await trained(spec, { recipe }));
});

test("a step of an epoch behind cached features is that of the training", async () => {
  const spec: EpochSpec = { kind: "epoch", ...classifier, batch: 4, boundary: "layer2", images: 12 };
  const bytes = join(mkdtempSync(join(tmpdir(), "bench-epoch-")), "images.u8");
  writeFileSync(bytes, new Uint8Array(12 * 3 * SIDE * SIDE));
  const [ours] = await compiledBy(() => epochJob(spec, prepare(spec), bytes));
  expect(ours).toBe(await trained(spec));
});

test("a batch of the Fisher case is one of the meter", async () => {
  const spec: FisherSpec = { kind: "fisher", ...classifier, batch: 4 };
  const [graph] = await compiledBy(() =>
    fisherMeter({ model: buildClassifier(spec), state: prepare(spec), batch: spec.batch }),
  );
  expect(built(spec)).toBe(graph);
});

test.each([gmi, kedmi, plgMi] as readonly Attack[])("a step of $kind is an iteration of the attack", async (attack) => {
  const spec: AttackSpec = { kind: attack.kind as AttackSpec["kind"], ...classifier, ...prior };
  const state = prepare(spec);
  const [graph] = await compiledBy(() =>
    runAttack({
      attack,
      model: buildClassifier(spec),
      state: weightsUnder("target/", state),
      prior: priorOf(spec, state),
      identities: [0, 1, 2, 3],
      perIdentity: 1,
      config: attack.config.parse({}),
      seed: 1,
      work: unwatched,
    }),
  );
  expect(built(spec)).toBe(graph);
});

test("the critic's and the generator's steps are those of the prior's training", async () => {
  const [critic, generator]: GanSpec[] = [
    { kind: "critic", ...prior },
    { kind: "generator", ...prior },
  ];
  const graphs = await compiledBy(
    () =>
      trainWganGp({
        networks: priorNetworks(critic!),
        images: noise,
        settings: { ...dcganSettings(prior.priorWidth), batch: 4 },
        seed: 1,
        work: unwatched,
      }),
    2,
  );
  expect([built(critic!), built(generator!)]).toEqual(graphs);
});

test("both steps of PLG-MI's conditional GAN are those of its training against the classifier", async () => {
  const [critic, generator]: PlgGanSpec[] = [
    { kind: "plg-critic", ...classifier, ...prior },
    { kind: "plg-generator", ...classifier, ...prior },
  ];
  const target = targetOf(critic!, prepare(critic!));
  const graphs = await compiledBy(
    () =>
      trainPlg({
        networks: priorNetworks(critic!),
        images: noise,
        scores: new Float32Array(noise.size * classifier.classes).fill(1 / classifier.classes),
        logits: (images) => target.logits(images),
        classes: classifier.classes,
        settings: { ...plgSettings(prior.priorWidth), batch: 4 },
        seed: 1,
        work: unwatched,
      }),
    2,
  );
  expect([built(critic!), built(generator!)]).toEqual(graphs);
});

describe("the gradient norm that is read from the optimiser's slots", () => {
  test.each<StepSpec>([
    { kind: "train", ...classifier, batch: 4, boundary: null },
    { kind: "train", ...classifier, batch: 4, boundary: "layer2" },
    { kind: "gmi", ...classifier, ...prior },
    { kind: "kedmi", ...classifier, ...prior },
    { kind: "plg-mi", ...classifier, ...prior },
    { kind: "train", ...classifier, model: "vit_b_16", width: 48, batch: 4, boundary: null },
    { kind: "train", ...classifier, model: "mobilenet_v2", width: 0.25, batch: 4, boundary: null },
    { kind: "train", ...classifier, batch: 4, boundary: null, defense: "bido-hsic" },
    { kind: "train", ...classifier, model: "resnet50", batch: 4, boundary: null },
    { kind: "critic", ...prior },
    { kind: "generator", ...prior },
    { kind: "plg-critic", ...classifier, ...prior },
    { kind: "plg-generator", ...classifier, ...prior },
  ])("is that of the gradients themselves: $kind", async (spec) => {
    const actual = await vi.importActual<typeof runtime>("../../src/engine/runtime.ts");
    const step = buildStep(spec, prepare(spec));
    const { loss } = step.outputs as { loss: NonNullable<(typeof step.outputs)[string]> };
    const learned = learnedBy(step.updates);
    const gradients = grad(loss, learned);
    const asked = Object.fromEntries(gradients.map((g, i) => [String(i), g]));
    const direct = await actual.compile({ outputs: asked, store: step.store });
    const found = await direct.run(step.feeds);
    const norm = Math.sqrt(
      Object.values(found)
        .flatMap(({ data }) => data as Float32Array)
        .reduce((sum, data) => data.reduce((squares, x) => squares + x * x, sum), 0),
    );
    await direct.release();

    const program = await actual.compile(step);
    await program.run(step.feeds);
    expect(step.gradientNorm!()).toBeGreaterThan(0);
    expect(step.gradientNorm!()).toBeCloseTo(norm, Math.max(0, 3 - Math.floor(Math.log10(norm))));
    await program.release();
  });
});

/** The parameters that a step moves along their gradients: those with a slot of an optimiser, or GMI's latents. */
function learnedBy(updates: ReturnType<typeof buildStep>["updates"]) {
  const parameters = new Map<string, Parameters<typeof grad>[1][number]>();
  const visit = (v: Parameters<typeof grad>[0], seen = new Set<typeof v>()): void => {
    if (seen.has(v)) return;
    seen.add(v);
    if (v.leaf?.kind === "parameter") parameters.set(v.leaf.name, v);
    for (const i of v.inputs) visit(i, seen);
  };
  for (const v of Object.values(updates)) visit(v);
  const slots = Object.keys(updates).flatMap(
    (name) => /^optimizer(?:\/critic|\/generator)?\/(.+)\/(?:mean|momentum)$/.exec(name)?.[1] ?? [],
  );
  return (slots.length > 0 ? slots : ["latents"]).map((name) => parameters.get(name)!);
}
