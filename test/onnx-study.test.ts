import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../src/engine/errors.ts";
import { decodeSafetensors } from "../src/engine/safetensors.ts";
import { initialState } from "../src/models/bind.ts";
import { weightsOf } from "../src/models/model.ts";
import { onnx } from "../src/models/onnx.ts";
import { exportRun } from "../src/study/export.ts";
import { planStudy, runStudy } from "../src/study/pipeline.ts";
import { expectPublishedResults } from "./support/published-results.ts";
import { smallClassifier } from "./support/small-classifier.ts";

const study = (model: string, defenses = "[none, { kind: tl-dmi, freeze: layer1 }]") => `name: imported
data:
  kind: faces
  size: 32
  identities: 4
  family: 2
  train: 4
  validation: 2
  test: 2
  public: { identities: 8, images: 2 }
  pretraining: { kind: faces, classes: 3, images: 4 }
  evaluation: 4
model: { kind: onnx, file: model.onnx, ${model} }
training: { epochs: 1, batch: 8 }
evaluation: { model: { kind: resnet10, width: 4 }, training: { epochs: 1, batch: 8 } }
priors:
  - { kind: dcgan, latent: 4, width: 4, steps: 2, critic: 1, batch: 4 }
defenses: ${defenses}
attacks:
  - { kind: gmi, iterations: 3 }
reconstructions: { perIdentity: 1, pool: 4 }
`;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "onnx-study-"));
  await mkdir(join(root, "cache"));
});
afterAll(() => rm(root, { recursive: true }));

/** A study file and its model in a folder of their own; drawn images are shared by all. */
async function place(name: string, yaml: string, file = smallClassifier()) {
  const runsDir = join(root, name);
  await mkdir(runsDir);
  await symlink(join(root, "cache"), join(runsDir, "cache"));
  await writeFile(join(runsDir, "model.onnx"), file);
  await writeFile(join(runsDir, "study.yaml"), yaml);
  return { studyFile: join(runsDir, "study.yaml"), runsDir };
}

const run = (at: { studyFile: string; runsDir: string }) =>
  runStudy({ ...at, includePrivate: false, threads: 1, signal: new AbortController().signal, events: () => {} });

/** The model in `model.onnx`, with its own weights, and those of a study's only target. */
async function weightsOfBoth(name: string, { result, studyDir }: Awaited<ReturnType<typeof run>>) {
  const file = join(root, name, "model.onnx");
  const model = onnx.build(onnx.config.parse({ file }), { input: [3, 32, 32], classes: 4 });
  const path = join(studyDir, result.cells[0]!.run, "artifacts", "model.safetensors");
  const { tensors } = decodeSafetensors(await readFile(path), path);
  return { model, own: initialState(weightsOf(model), 1), target: tensors };
}

test("a study attacks the file as it is", async () => {
  const done = await run(await place("itself", study("weights: target", "[none]")));
  expect(done.result.failed).toEqual([]);
  expect(done.result.cells.map((c) => [c.model, c.defense, c.boundary])).toEqual([["onnx", "none", null]]);
  const { own, target } = await weightsOfBoth("itself", done);
  for (const [name, { data }] of Object.entries(own)) expect(target[name]!.data, name).toEqual(data);
});

test("a study defends a classifier from the file's weights", async () => {
  const done = await run(await place("defended", study("weights: start", "[{ kind: tl-dmi, freeze: layer1 }]")));
  const { result, studyDir } = done;
  expect(result.failed).toEqual([]);
  await expectPublishedResults(studyDir, result);
  expect(result.cells.map((c) => [c.model, c.defense, c.boundary])).toEqual([["onnx", "tl-dmi", "layer1.0"]]);
  const { model, own, target } = await weightsOfBoth("defended", done);
  const frozen = model.stages.slice(0, 2).flatMap((s) => s.layer.weights.map((w) => w.name));
  for (const [name, { data }] of Object.entries(own)) {
    const same = target[name]!.data.every((x, i) => x === data[i]);
    expect(same, `${name} is frozen`).toBe(frozen.includes(name));
  }
  const exported = await exportRun(join(studyDir, result.cells[0]!.run), { format: "onnx" });
  expect((await readFile(exported)).length).toBeGreaterThan(1000);
});

test("defenses of answers alone leave a file that is the target as it is; others train from it", async () => {
  const defenses = "[none, round, top-1, ssd, label-smoothing]";
  const steps = await planStudy(await place("guarded", study("weights: target", defenses)));
  const targets = steps.map(({ name }) => name).filter((name) => name.startsWith("target"));
  expect(targets).toEqual(["target: the imported model as it is", "target label-smoothing, seed 1"]);
});

test("steps are named by what the file holds, wherever it lies", async () => {
  const ids = async (name: string, file?: Uint8Array) =>
    (await planStudy(await place(name, study("weights: start"), file))).map((step) => step.id);
  const first = await ids("here");
  expect(await ids("there")).toEqual(first);
  const other = await ids("other", smallClassifier({ metadata: { note: "not the same" } }));
  // The evaluation model, what real images reach by it, and the public prior do not depend on it.
  expect(other.filter((id) => first.includes(id)).length).toBe(3);
});

test.each([
  [
    "scratch",
    "weights: start",
    "[{ kind: none, start: scratch }]",
    {},
    /none: start: scratch needs an architecture with random weights/,
  ],
  [
    "labels",
    "weights: target",
    "[none]",
    { metadata: { labels: '["a","b","c","d"]' } },
    /its class 0 is "a", that of the private data is/,
  ],
  [
    "labels in the study",
    "weights: target, labels: [x, y, z, w]",
    "[none]",
    { metadata: { labels: '["a","b","c","d"]' } },
    /its class 0 is "x", that of the private data is/,
  ],
  [
    "freezing what has seen private images",
    "weights: target",
    "[none, { kind: tl-dmi, freeze: layer1 }]",
    {},
    /tl-dmi cannot start from .*model\.onnx: .* has seen the private images/,
  ],
  ["classes", "weights: target", "[none]", { classes: 6 }, /another number of classes than the 4 of the private data/],
  ["hash", `sha256: ${"a".repeat(64)}`, "[none]", {}, /is another file than the one that was meant/],
  [
    "stage",
    "weights: start",
    "[{ kind: tl-dmi, freeze: layer9 }]",
    {},
    /onnx has no stage "layer9"; it has conv1, layer1\.0, layer2\.0\.conv1/,
  ],
  ["shortcuts", "weights: start", "[rolss]", {}, /onnx has no shortcuts/],
])("says what is wrong with a study: %s", async (name, model, defenses, file, message) => {
  const at = await place(name, study(model, defenses), smallClassifier(file));
  const failure = await planStudy(at).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UserError);
  expect((failure as UserError).message).toMatch(message);
});
