import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { smallClassifier } from "../../test/support/small-classifier.ts";
import { attacks } from "../attacks/index.ts";
import { UserError } from "../engine/errors.ts";
import { readWeightFile } from "../engine/weight-file.ts";
import { initialState } from "../models/bind.ts";
import { weightsOf } from "../models/model.ts";
import { resnet10 } from "../models/resnet.ts";
import { attackSettings } from "./audit/settings.ts";
import { expandStudy, type StudyPlan } from "./plan.ts";
import { loadData, type StudyWeights } from "./read-study.ts";
import { writeState } from "./state-file.ts";
import { StudySchema } from "./study-schema.ts";

const FACES = {
  kind: "faces",
  size: 32,
  identities: 4,
  train: 4,
  validation: 2,
  test: 2,
  public: { identities: 8, images: 2 },
  pretraining: { kind: "faces", classes: 3, images: 4 },
  evaluation: 2,
};

/** Plans a study of such keys, of which nothing is computed and no image is drawn. */
async function planned(keys: Readonly<Record<string, unknown>>, weights: StudyWeights = {}) {
  const common = { name: "planned", data: FACES, model: "resnet10", evaluation: { model: "vgg16_bn" } };
  const study = StudySchema.parse({ ...common, defenses: ["none"], ...keys });
  const data = await loadData({ study, yaml: "", folder: "." }, join(tmpdir(), "unused"), () => {});
  return expandStudy(study, data, weights);
}

/** What is wrong with it, as a user reads it. */
async function complaint(plan: Promise<unknown>): Promise<string> {
  const error = await plan.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

test.each<readonly [string, number?]>([["as many reconstructions as usual"], ["50 reconstructions", 50]])(
  "all attacks can be planned as an audit has them, with %s",
  async (_, perIdentity) => {
    const { cells } = await planned({
      attacks: attacks.map(({ kind }) => attackSettings(kind)),
      reconstructions: { perIdentity },
    });
    expect(cells.map(({ attack }) => attack)).toEqual(attacks.map(({ kind }) => kind));
  },
);

test.each<[Readonly<Record<string, unknown>>, string]>([
  [{ kind: "plg-mi", preset: "quick", candidates: 4 }, "attacks[0].candidates: 4 are too few to choose 5"],
  [{ kind: "gmi", pool: 4 }, "attacks[0].pool: 4 are too few to choose 5"],
  [{ kind: "gmi", candidates: 30, pool: 24 }, "attacks[0].pool: 24 are too few to choose 30"],
  [
    { kind: "ppdg-mi", base: { kind: "gmi", candidates: 4 }, pseudoPrivate: 3 },
    "attacks[0].base.candidates: 4 are too few to choose 5",
  ],
  [
    { kind: "ppdg-mi", base: { kind: "ppa", candidates: 8 }, pseudoPrivate: 9 },
    "attacks[0].base.candidates: 8 are too few to choose 9",
  ],
  [{ kind: "mirror-ga", population: 200, pool: 100 }, "attacks[0].pool: 100 are too few to choose 200"],
  [{ kind: "c2f", population: 4, kept: 3 }, "attacks[0].population: 4 are too few to choose 5"],
])("%j is refused before anything is trained", async (attack, message) => {
  expect(await complaint(planned({ attacks: [attack] }))).toContain(message);
});

test("a Gaussian starts from one latent, however small the pool", async () => {
  expect((await planned({ attacks: [{ kind: "kedmi", pool: 2 }] })).cells).toHaveLength(1);
});

describe("what reads the public weights that the target started from", () => {
  const READERS = ["c2f", "knows-prefix"];
  const shape = { input: [3, 32, 32], classes: 4 } as const;
  const model = { kind: "resnet10", width: 4 };
  let root = "";
  /** Weights of the architecture, as somebody would bring them. */
  let file = "";
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "plan-"));
    file = join(root, "target.safetensors");
    await writeState(file, initialState(weightsOf(resnet10.build(resnet10.config.parse({ width: 4 }), shape)), 1));
    return () => rm(root, { recursive: true });
  });
  const needsOf = ({ cells }: StudyPlan) => cells[0]!.attackStep.needs;

  test.each(READERS)("%s is refused where a target is brought alone", async (kind) => {
    const target = await readWeightFile(file);
    const keys = { model, target: { weights: file }, attacks: ["gmi", kind] };
    expect(await complaint(planned(keys, { target }))).toMatch(
      new RegExp(`^attacks\\[1\\]: ${kind} reads the public weights .* name them as pretraining\\.weights`),
    );
  });

  test.each(READERS)("%s is refused where the target is an ONNX file", async (kind) => {
    const onnx = join(root, "model.onnx");
    await writeFile(onnx, smallClassifier());
    const keys = { model: { kind: "onnx", file: onnx, weights: "target" }, attacks: [kind] };
    expect(await complaint(planned(keys))).toContain("attacks[0]");
    const start = { model: { kind: "onnx", file: onnx, weights: "start" }, attacks: [kind] };
    expect((await planned(start)).cells).toHaveLength(1);
  });

  test.each(READERS)("%s reads the start weights where these are named, never the target's", async (kind) => {
    const [target, start] = [await readWeightFile(file), await readWeightFile(file)];
    const keys = { model, target: { weights: file }, pretraining: { weights: file }, attacks: [kind] };
    const plan = await planned(keys, { target, start });
    const names = needsOf(plan).map(({ name }) => name);
    expect(names).toContain("start weights of resnet10, from a file");
  });

  test("a target that is brought can be attacked by others", async () => {
    const target = await readWeightFile(file);
    expect((await planned({ model, target: { weights: file }, attacks: ["gmi"] }, { target })).cells).toHaveLength(1);
  });
});
