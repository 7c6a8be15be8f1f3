import type { BenchCase, Classifier, ComputeSpec } from "./case.ts";
import { GOALS } from "./goals.ts";

// Classes as in the paper's experiments on CelebA.
const IDENTITIES = 1000;

const resnet18: Classifier = { model: "resnet18", width: 64, side: 64, classes: IDENTITIES };
const resnet10: Classifier = { model: "resnet10", width: 32, side: 64, classes: IDENTITIES };
const resnet50: Classifier = { model: "resnet50", width: 64, side: 64, classes: IDENTITIES };
const vgg16: Classifier = { model: "vgg16_bn", width: 64, side: 64, classes: IDENTITIES };
const large: Classifier = { model: "resnet18", stem: "imagenet", width: 64, side: 224, classes: IDENTITIES };

const vit: Classifier = { model: "vit_b_16", width: 192, side: 64, classes: IDENTITIES };

const mobilenet: Classifier = { model: "mobilenet_v2", width: 1, side: 64, classes: IDENTITIES };

const BATCHES = [16, 64, 256] as const;

type Options = Partial<Pick<BenchCase, "goals" | "peer" | "compiled" | "standard" | "growth">>;

const compute = (id: string, spec: ComputeSpec, options: Options): BenchCase => ({
  id,
  spec,
  goals: {},
  peer: true,
  compiled: false,
  standard: false,
  ...options,
});

const nameOf = ({ model, side }: Classifier) => `${model}/${side}px`;

/** One case for each batch; those of `standard` run when nothing is said, and for those of `compiled` torch.compile is tried. */
function byBatch(
  head: string,
  classifier: Classifier,
  make: (batch: number) => ComputeSpec,
  goals: BenchCase["goals"],
  standard: readonly number[],
  compiled: readonly number[] = [],
): BenchCase[] {
  return BATCHES.map((batch) => {
    const of = { goals, standard: standard.includes(batch), compiled: compiled.includes(batch) };
    return compute(`${head}/${nameOf(classifier)}/b${batch}`, make(batch), of);
  });
}

const train = (classifier: Classifier, standard: readonly number[], compiled: readonly number[] = []) =>
  byBatch(
    "train",
    classifier,
    (batch) => ({ kind: "train", ...classifier, boundary: null, batch }),
    GOALS.full,
    standard,
    compiled,
  );

const tlDmi = (
  classifier: Classifier,
  boundary: string,
  standard: readonly number[],
  compiled: readonly number[] = [],
) =>
  byBatch(
    `tl-dmi/${boundary}`,
    classifier,
    (batch) => ({ kind: "train", ...classifier, boundary, batch }),
    GOALS.frozen,
    standard,
    compiled,
  );

const attack = (
  kind: "gmi" | "kedmi" | "plg-mi",
  classifier: Classifier,
  standard: readonly number[],
  compiled: readonly number[] = [],
) =>
  byBatch(
    kind,
    classifier,
    (batch) => ({ kind, ...classifier, batch, priorWidth: 64 }),
    GOALS.attack,
    standard,
    compiled,
  );

const bido = byBatch(
  "bido-hsic",
  resnet18,
  (batch) => ({ kind: "train", ...resnet18, boundary: null, batch, defense: "bido-hsic" }),
  GOALS.bido,
  [64],
);

const fisher = byBatch("fisher", resnet10, (batch) => ({ kind: "fisher", ...resnet10, batch }), GOALS.fisher, [16]);

const epoch = ["layer2", "layer3"].map((boundary) =>
  compute(
    `tl-dmi-epoch/${boundary}/resnet18/64px/b64`,
    { kind: "epoch", ...resnet18, boundary, batch: 64, images: 128 },
    { goals: GOALS.epoch, standard: boundary === "layer3" },
  ),
);

const gan = (kind: "critic" | "generator") =>
  BATCHES.map((batch) =>
    compute(
      `wgan-gp/${kind}/64px/b${batch}`,
      { kind, side: 64, batch, priorWidth: 64 },
      { goals: GOALS.gan, standard: batch === 64, compiled: kind === "generator" && batch === 64 },
    ),
  );

const plgGan = (player: "critic" | "generator") =>
  BATCHES.map((batch) =>
    compute(
      `plg-gan/${player}/${nameOf(resnet18)}/b${batch}`,
      { kind: `plg-${player}`, ...resnet18, batch, priorWidth: 64 },
      { goals: GOALS.gan, standard: batch === 16 },
    ),
  );

const evaluate = (classifier: Classifier, standard: readonly number[]) =>
  byBatch(
    "evaluate",
    classifier,
    (batch) => ({ kind: "evaluate", ...classifier, batch, images: 128 }),
    {},
    standard,
    classifier === resnet18 ? [64] : [],
  );

/** Images are read as they are needed: a set a hundred times as large takes no more memory. */
const LEVEL = [1000, 100_000];

const load = [100, 1000, 10_000, 100_000].map((images) =>
  compute(
    `load/64px/${images}-images`,
    { kind: "load", side: 64, batch: 64, images },
    {
      standard: true,
      growth: {
        along: "images",
        curve: "loading, an epoch of at most 4096 images",
        ...(LEVEL.includes(images) && { level: true }),
      },
    },
  ),
);

const start: BenchCase[] = [["--version"], ["validate", "examples/quickstart.yaml"]].map((args) => ({
  id: `start/${args[0]!.replace("--", "")}`,
  spec: { kind: "start", args },
  goals: GOALS.start,
  peer: false,
  compiled: false,
  standard: true,
}));

/** Our side alone, along one size at a time. */
const growth: BenchCase[] = [
  ...BATCHES.flatMap((batch) => [
    grown("batch", "full training step, resnet18", `train/b${batch}`, {
      kind: "train",
      ...resnet18,
      boundary: null,
      batch,
    }),
    grown("batch", "attack step, gmi on resnet18", `gmi/b${batch}`, {
      kind: "gmi",
      ...resnet18,
      batch,
      priorWidth: 64,
    }),
  ]),
  ...[32, 64, 128].map((side) =>
    grown("side", "full training step, resnet18, batch 16", `train/${side}px`, {
      kind: "train",
      ...resnet18,
      side,
      boundary: null,
      batch: 16,
    }),
  ),
  ...[10, 100, 1000, 10_000].map((classes) =>
    grown("identities", "full training step, resnet10, batch 64", `train/${classes}-identities`, {
      kind: "train",
      ...resnet10,
      classes,
      boundary: null,
      batch: 64,
    }),
  ),
];

function grown(
  along: NonNullable<BenchCase["growth"]>["along"],
  curve: string,
  id: string,
  spec: ComputeSpec,
): BenchCase {
  return compute(`growth/${along}/${id}`, spec, { peer: false, standard: true, growth: { along, curve } });
}

/** Every case. Those that run when nothing is said cover each kind of work at its usual sizes. */
export const cases: readonly BenchCase[] = [
  ...train(resnet18, [16, 64], [64]),
  ...train(resnet10, [64]),
  ...train(resnet50, [16]),
  ...train(vgg16, [16]),
  ...train(large, [16]),
  ...train(vit, [64]),
  ...train(mobilenet, [64]),
  ...["layer1", "layer2", "layer3"].flatMap((boundary) =>
    tlDmi(resnet18, boundary, boundary === "layer1" ? [] : [64], boundary === "layer3" ? [64] : []),
  ),
  ...["block2", "block3", "block4"].flatMap((boundary) => tlDmi(vgg16, boundary, [])),
  ...epoch,
  ...bido,
  ...attack("gmi", resnet18, [16, 64], [64]),
  ...attack("gmi", vgg16, []),
  ...attack("gmi", mobilenet, []),
  ...attack("kedmi", resnet18, []),
  ...attack("kedmi", vgg16, [64]),
  ...attack("plg-mi", resnet18, [16]),
  ...gan("critic"),
  ...gan("generator"),
  ...plgGan("critic"),
  ...plgGan("generator"),
  ...fisher,
  ...evaluate(resnet18, [64]),
  ...evaluate(resnet10, []),
  ...evaluate(vgg16, []),
  ...load,
  ...start,
  ...growth,
];

const tiny = { model: "resnet10", width: 8, side: 32, classes: 10 } as const;
const small = { side: 32, batch: 8, priorWidth: 8 } as const;
const smoke = (id: string, spec: ComputeSpec, goals: BenchCase["goals"]) =>
  compute(`quick/${id}`, spec, { goals, standard: true });

/** One case of each kind at sizes that take no time: whether everything works. Their numbers mean nothing. */
export const quickCases: readonly BenchCase[] = [
  smoke("train", { kind: "train", ...tiny, boundary: null, batch: 8 }, GOALS.full),
  smoke("train-resnet50", { kind: "train", ...tiny, model: "resnet50", boundary: null, batch: 8 }, GOALS.full),
  smoke("train-vgg", { kind: "train", ...tiny, model: "vgg16_bn", boundary: null, batch: 8 }, GOALS.full),
  smoke("tl-dmi", { kind: "train", ...tiny, boundary: "layer2", batch: 8 }, GOALS.frozen),
  smoke("tl-dmi-vgg", { kind: "train", ...tiny, model: "vgg16_bn", boundary: "block3", batch: 8 }, GOALS.frozen),
  smoke("gmi", { kind: "gmi", ...tiny, ...small }, GOALS.attack),
  smoke("kedmi", { kind: "kedmi", ...tiny, ...small, model: "vgg16_bn" }, GOALS.attack),
  smoke("train-vit", { kind: "train", ...tiny, model: "vit_b_16", width: 48, boundary: null, batch: 8 }, GOALS.full),
  smoke(
    "train-mobilenet",
    { kind: "train", ...tiny, model: "mobilenet_v2", width: 1, boundary: null, batch: 8 },
    GOALS.full,
  ),
  smoke("epoch", { kind: "epoch", ...tiny, boundary: "layer2", batch: 8, images: 24 }, GOALS.epoch),
  smoke("bido", { kind: "train", ...tiny, boundary: null, batch: 8, defense: "bido-hsic" }, GOALS.bido),
  smoke("fisher", { kind: "fisher", ...tiny, batch: 8 }, GOALS.fisher),
  smoke("plg-mi", { kind: "plg-mi", ...tiny, ...small }, GOALS.attack),
  smoke("critic", { kind: "critic", ...small }, GOALS.gan),
  smoke("generator", { kind: "generator", ...small }, GOALS.gan),
  smoke("plg-critic", { kind: "plg-critic", ...tiny, ...small }, GOALS.gan),
  smoke("plg-generator", { kind: "plg-generator", ...tiny, ...small }, GOALS.gan),
  smoke("evaluate", { kind: "evaluate", ...tiny, batch: 8, images: 20 }, {}),
  smoke("load", { kind: "load", side: 32, batch: 8, images: 100 }, {}),
  ...start.map((c) => ({ ...c, id: `quick/${c.id}` })),
];

/** The cases of a selection, in order. `pattern` is looked for in the ids, regardless of case. */
export function selectCases({ pattern, quick }: { readonly pattern?: string; readonly quick: boolean }): BenchCase[] {
  const list = quick ? quickCases : cases;
  if (pattern === undefined) return list.filter((c) => c.standard);
  return list.filter((c) => c.id.toLowerCase().includes(pattern.toLowerCase()));
}
