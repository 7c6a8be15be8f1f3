import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../src/engine/errors.ts";
import { random } from "../src/engine/random.ts";
import { decodeSafetensors, encodeSafetensors } from "../src/engine/safetensors.ts";
import type { StateDict } from "../src/engine/store.ts";
import { initialState } from "../src/models/bind.ts";
import { fitWeights } from "../src/models/fit-weights.ts";
import { type Model, weightsOf } from "../src/models/model.ts";
import { normalized } from "../src/models/normalize.ts";
import { classifierPredictor } from "../src/models/predict.ts";
import { resnet10 } from "../src/models/resnet.ts";
import { planStudy, runStudy } from "../src/study/pipeline.ts";
import { expectAllClose } from "./support/all-close.ts";
import { expectPublishedResults } from "./support/published-results.ts";

/** A study whose start weights and evaluation model come from files. */
const STUDY = `name: imported
data:
  kind: faces
  size: 32
  identities: 4
  family: 2
  train: 4
  validation: 2
  test: 2
  public: { identities: 8, images: 2 }
  pretraining: { kind: faces, classes: 3, images: 3 }
  evaluation: 4
  attributes: { identities: 5, images: 2 }
model: { kind: resnet10, width: 4, normalize: imagenet }
pretraining: { weights: start.safetensors }
training: { epochs: 1, batch: 8 }
evaluation: { model: { kind: resnet10, width: 4 }, weights: judge.safetensors }
defenses: [{ kind: tl-dmi, freeze: layer2 }]
attacks: [{ kind: mi-face, iterations: 2 }]
reconstructions: { perIdentity: 1, pool: 2 }
`;

const build = (classes: number): Model => resnet10.build({ width: 4, stem: "small" }, { input: [3, 32, 32], classes });
const start = initialState(weightsOf(build(1000)), 5);
const judge = initialState(weightsOf(build(4)), 6);

let folder = "";
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weights-"));
  await save("start.safetensors", start, "module.");
  await save("judge.safetensors", judge);
  await writeFile(at("study.yaml"), STUDY);
});
afterAll(() => rm(folder, { recursive: true }));

const save = (name: string, state: StateDict, prefix = "") =>
  writeFile(at(name), encodeSafetensors(Object.fromEntries(Object.entries(state).map(([k, t]) => [prefix + k, t]))));

const plan = async (yaml: string) => {
  await writeFile(at("other.yaml"), yaml);
  return planStudy({ studyFile: at("other.yaml"), runsDir: at("runs") });
};
const idOf = (steps: Awaited<ReturnType<typeof plan>>, name: string) => steps.find((s) => s.name.startsWith(name))!.id;

test("a study starts from the file's weights and is judged by the file's model", async () => {
  const { result, studyDir } = await runStudy({
    studyFile: at("study.yaml"),
    runsDir: at("runs"),
    includePrivate: false,
    threads: 1,
    events: () => {},
    signal: new AbortController().signal,
  });
  expect(result.failed).toEqual([]);
  await expectPublishedResults(studyDir, result);
  expect(result.timings.map((t) => t.step)).toContain("start weights of resnet10, from a file");
  const cell = result.cells[0]!;
  const { tensors } = decodeSafetensors(await readFile(join(studyDir, cell.run, "artifacts", "model.safetensors")));
  for (const name of ["conv1.weight", "bn1.running_var", "layer2.0.conv2.weight"]) {
    expect(tensors[name]!.data, `${name} is frozen as the file has it`).toEqual(start[name]!.data);
  }
  expect(tensors["layer3.0.conv1.weight"]!.data).not.toEqual(start["layer3.0.conv1.weight"]!.data);
  expect(tensors["fc.weight"]!.shape).toEqual([4, 32]);
  expect(cell.evaluationModel.naturalAccuracy.n).toBe(8);
  // Its weights are random: so would be those of a judge whose classes stand in another order.
  expect(result.notes.filter((note) => note.startsWith("The evaluation model came from a file"))).toHaveLength(1);
});

test("a step's id follows from the file's content, not from its name", async () => {
  const before = await plan(STUDY);
  await rename(at("start.safetensors"), at("renamed.safetensors"));
  const moved = await plan(STUDY.replace("start.safetensors", "renamed.safetensors"));
  expect(idOf(moved, "start weights")).toBe(idOf(before, "start weights"));
  expect(idOf(moved, "target")).toBe(idOf(before, "target"));
  await save("start.safetensors", initialState(weightsOf(build(1000)), 7), "module.");
  const changed = await plan(STUDY);
  expect(idOf(changed, "start weights")).not.toBe(idOf(before, "start weights"));
  expect(idOf(changed, "target")).not.toBe(idOf(before, "target"));
});

test.each([
  [
    "a file for another width",
    ["width: 4, n", "width: 8, n"],
    "start.safetensors: its 62 tensors do not fit resnet10: 60 of another",
  ],
  ["a file that is not there", ["start.safe", "no.safe"], "no.safetensors: no such file; expected weights by name"],
  [
    "an evaluation model for other classes",
    ["weights: judge", "weights: start"],
    "start.safetensors: its head does not fit the evaluation model: expected fc.weight [4, 32], fc.bias [4] for 4 classes",
  ],
  [
    "freezing a target that was brought",
    ["pretraining: { weights: start.safetensors }", "target: { weights: judge.safetensors }"],
    "judge.safetensors: a file that is a target itself has seen the private images, and its frozen layers would keep what they know of them; name weights that were trained on other images as pretraining.weights",
  ],
  [
    "training of start weights that are not trained",
    ["start.safetensors }", "start.safetensors, epochs: 3 }"],
    "other.yaml:15:52  pretraining.epochs  start weights come from a file and are not trained; leave this key out, or weights",
  ],
] as const)("%s is told before anything is computed", async (_what, [from, to], message) => {
  const planned = plan(STUDY.replace(from, to));
  await expect(planned).rejects.toBeInstanceOf(UserError);
  await expect(planned).rejects.toThrow(message);
});

test("normalised images are scaled as the file's network wants them, also where it is grey", async () => {
  const images = random(1, "images").uniforms(2 * 3 * 32 * 32);
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const scaled = images.map((x, i) => {
    const channel = Math.floor(i / 1024) % 3;
    return (x - mean[channel]!) / deviation[channel]!;
  });
  const model = build(4);
  const logits = async (of: Model, x: Float32Array) => {
    const net = await classifierPredictor(of, judge, 2);
    const found = await net.predict(x, 2);
    await net.release();
    return found.logits;
  };
  expectAllClose(await logits(normalized(model, "imagenet"), images), await logits(model, scaled), { absolute: 1e-4 });
  const half = images.map((x) => 2 * x - 1);
  expectAllClose(await logits(normalized(model, "half"), images), await logits(model, half), { absolute: 1e-4 });
  const grey = normalized(resnet10.build({ width: 4, stem: "small" }, { input: [1, 32, 32], classes: 4 }), "imagenet");
  expect(grey.stages.map((s) => s.name)).toEqual(model.stages.map((s) => s.name));
  expect(() => fitWeights(normalized(model, "half"), { path: "w", tensors: new Map() })).toThrow(UserError);
});
