import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { UserError } from "../src/engine/errors.ts";
import { auditVerdict, writeModelCard } from "../src/report/audit/index.ts";
import { type AuditOptions, runAudit } from "../src/study/audit/audit.ts";
import { type DefendOptions, runDefend } from "../src/study/audit/defend.ts";
import { exportRun } from "../src/study/export.ts";
import { planStudy, runStudy } from "../src/study/pipeline.ts";
import type { CellResult } from "../src/study/result.ts";
import { writeFaceFolders } from "./support/face-folders.ts";
import { expectPublishedResults } from "./support/published-results.ts";
import { smallClassifier } from "./support/small-classifier.ts";

const TRAINING = { epochs: 30, batch: 16, rate: 0.05, weightDecay: 5e-4 };
/** Everything small, in the study that trains the model as in the audits. */
const SETTINGS = {
  training: TRAINING,
  evaluation: { model: { kind: "resnet18", width: 4 }, training: TRAINING },
  priors: [{ kind: "dcgan", latent: 8, width: 4, steps: 60, critic: 1, batch: 16 }],
  attacks: [{ kind: "gmi", iterations: 30, rate: 0.1, pool: 24, batch: 8 }],
  reconstructions: { perIdentity: 4, pool: 24 },
  metrics: ["natural-accuracy", "attack-accuracy", "knn-distance"],
};

let root = "";
let folders: Awaited<ReturnType<typeof writeFaceFolders>>;
let own: CellResult;
/** The trained model, as strangers would get it. */
let files: { readonly onnx: string; readonly safetensors: string };
/** Weights of the same architecture that know nobody of the private people. */
let publicWeights = "";

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "audit-"));
  const drawn = {
    size: 32,
    identities: 4,
    family: 1,
    train: 14,
    validation: 8,
    test: 8,
    public: { identities: 40, images: 2 },
    pretraining: { kind: "no-faces", classes: 4, images: 8 },
    evaluation: 1,
  } as const;
  folders = await writeFaceFolders(root, drawn, join(root, "cache"));
  const study = {
    name: "own",
    data: { kind: "folder", ...folders, size: 32 },
    model: { kind: "resnet10", width: 4 },
    pretraining: { epochs: 2, batch: 16 },
    ...SETTINGS,
    defenses: ["none"],
  };
  const studyFile = join(root, "own.yaml");
  await writeFile(studyFile, stringify(study));
  const { result, studyDir } = await runStudy({ studyFile, ...place("own") });
  expect(result.failed).toEqual([]);
  await expectPublishedResults(studyDir, result);
  own = result.cells[0]!;
  const steps = join(root, "runs", "steps");
  const started = (await readdir(steps)).find((name) => name.startsWith("pretraining-"))!;
  publicWeights = join(root, "public.safetensors");
  await copyFile(join(steps, started, "model.safetensors"), publicWeights);
  const run = join(studyDir, own.run);
  const exported = async (format: "onnx" | "safetensors") =>
    exportRun(run, { format, out: join(root, `stranger.${format}`) });
  files = { onnx: await exported("onnx"), safetensors: await exported("safetensors") };
});
afterAll(() => rm(root, { recursive: true }));

/** A command's folder; steps are shared, so that what two of them have in common is done once. */
function place(name: string) {
  const events = () => {};
  const { signal } = new AbortController();
  return { out: join(root, name), runsDir: join(root, "runs"), includePrivate: false, threads: 1, events, signal };
}

const audit = (name: string, options: Partial<AuditOptions> & Pick<AuditOptions, "model">) =>
  runAudit({
    private: folders.private,
    public: folders.public,
    access: "white-box",
    attacks: ["gmi"],
    settings: SETTINGS,
    ...place(name),
    ...options,
  });

const measured = ({ naturalAccuracy, attackAccuracy, floors, evaluationModel }: CellResult) => ({
  naturalAccuracy,
  attackAccuracy,
  floors,
  evaluationModel,
});

/** What goes wrong, as a user reads it. */
async function complaint(work: Promise<unknown>): Promise<string> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(UserError);
  return (failure as UserError).message;
}

describe("audit", () => {
  test("finds in an ONNX file what the study that trained it found", async () => {
    const { facts, result, studyDir } = await audit("as-onnx", { model: { file: files.onnx } });
    expect(result.failed).toEqual([]);
    await expectPublishedResults(studyDir, result);
    expect(measured(result.cells[0]!)).toEqual(measured(own));
    expect(facts).toMatchObject({
      model: "stranger.onnx",
      modelSide: 32,
      classes: { count: 4, by: "names" },
      evaluationModel: { kind: "resnet18" },
      attacks: ["gmi"],
      tooDear: [],
    });
    expect(facts.target.naturalAccuracy).toEqual(own.naturalAccuracy);
    // Its study file is all that it takes: nothing is left to do in it.
    const steps = await planStudy({ studyFile: join(studyDir, "study.yaml"), runsDir: join(root, "runs") });
    const left = steps.filter(({ state }) => state === "to do").map(({ name }) => name);
    expect(left).toEqual([]);
    const { sentences, grounds } = auditVerdict(facts, result);
    expect(sentences[0]).toMatch(/^(stranger\.onnx gives away people|No conclusion about stranger\.onnx)/);
    expect(grounds.join("\n")).toMatch(/matched with the model's classes by name/);
  });

  test("finds the same in its weights with the architecture named", async () => {
    const model = { file: files.safetensors, architecture: { kind: "resnet10", width: 4 } };
    const { result, facts } = await audit("as-weights", { model, size: 32 });
    expect(measured(result.cells[0]!)).toEqual(measured(own));
    expect(facts.classes).toMatchObject({ by: "order", statement: expect.stringContaining("order of the folders") });
  });

  test("puts folders in the order of the file's classes, by their names", async () => {
    const names = own.identities.map(({ identity }) => identity);
    const moved = join(root, "renamed");
    // The model's third class becomes the first folder.
    await rename(join(folders.private, names[2]!), join(folders.private, "0 first"));
    try {
      const labels = names.map((name, i) => (i === 2 ? "0_First" : name));
      const out = { ...place("renamed"), out: moved };
      const { facts, result } = await audit("renamed", { model: { file: files.onnx, labels }, ...out });
      expect(await readFile(join(moved, "study.yaml"), "utf8")).toContain("classes:");
      expect(facts.target.naturalAccuracy.value).toBeGreaterThan(0.7);
      expect(result.cells[0]!.identities.map(({ identity }) => identity)).toEqual(
        labels.map((label) => (label === "0_First" ? "0 first" : label)),
      );
    } finally {
      await rename(join(folders.private, "0 first"), join(folders.private, names[2]!));
    }
  });

  test("says which order it would be, where classes are numbered wrongly", async () => {
    const names = own.identities.map(({ identity }) => identity);
    const turned = [...names.slice(1), names[0]!];
    const message = await complaint(audit("turned", { model: { file: files.onnx, labels: turned } }));
    expect(message).toContain(`its classes have another order: try --labels ${names.join(",")}`);
  });

  test("says which reading is right, where images are read wrongly", async () => {
    const message = await complaint(audit("bytes", { model: { file: files.onnx, range: [60, -60] } }));
    expect(message).toMatch(
      /is right about .+ of \d+ private test images; guessing one of its 4 classes gives 25\.0 %/,
    );
    expect(message).toMatch(/try no --range, which gives/);
  });

  test("stops where the judge knows too few people", async () => {
    const evaluation = { ...SETTINGS.evaluation, training: { ...TRAINING, epochs: 1, rate: 1e-6 } };
    const settings = { ...SETTINGS, evaluation };
    const message = await complaint(audit("weak-judge", { model: { file: files.onnx }, settings }));
    expect(message).toMatch(/no conclusion can be drawn: the evaluation model, resnet18, is right about/);
    expect(message).toContain("--evaluation-images");
  });

  test("chooses what a budget has room for, and says what it would take otherwise", async () => {
    const attacks = [...SETTINGS.attacks, { kind: "kedmi", iterations: 10_000_000, pool: 24 }];
    const priors = [...SETTINGS.priors, { kind: "kedmi", latent: 8, width: 4, steps: 2, critic: 1, batch: 16 }];
    const settings = { ...SETTINGS, attacks, priors };
    const options = { model: { file: files.onnx }, settings, attacks: ["gmi", "kedmi"], budget: 3600 };
    const { facts, result } = await audit("budget", options);
    expect(facts.attacks).toEqual(["gmi"]);
    expect(facts.tooDear).toEqual([{ attack: "kedmi", seconds: expect.any(Number) }]);
    expect(facts.tooDear[0]!.seconds).toBeGreaterThan(3600);
    expect(measured(result.cells[0]!)).toEqual(measured(own));
    expect(auditVerdict(facts, result).grounds.join("\n")).toMatch(/Not tried within .+ with kedmi about/);
    // The same command again goes on with what it chose.
    expect((await audit("budget", options)).facts).toEqual(facts);
    expect(await complaint(audit("budget", { ...options, size: 64 }))).toMatch(
      /holds a study of something else, or one with other options \(they differ in data\.size\); name another/,
    );
  });

  test("takes the advice of a budget that was too small, in the same folder", async () => {
    const dear = { ...SETTINGS, attacks: [{ kind: "gmi", iterations: 10_000_000, pool: 24 }] };
    const options = { model: { file: files.onnx }, settings: dear, attacks: ["gmi"], budget: 20 };
    expect(await complaint(audit("small", options))).toMatch(
      /^no attack fits into 20s on this machine; .+ say --budget/,
    );
    // What was refused is no study of the folder.
    expect(await readdir(join(root, "small"))).toEqual([]);
    const { facts } = await audit("small", { model: { file: files.onnx }, settings: SETTINGS, attacks: ["gmi"] });
    expect(facts.attacks).toEqual(["gmi"]);
  });

  test("names an attack that fails while it is timed, and goes on with the others", async () => {
    const attacks = [{ kind: "mi-face", iterations: 50, totalVariation: 3e38 }, ...SETTINGS.attacks];
    const settings = { ...SETTINGS, attacks };
    const options = { model: { file: files.onnx }, settings, attacks: ["mi-face", "gmi"], budget: 3600 };
    const { facts, result } = await audit("broken", options);
    expect(facts.attacks).toEqual(["gmi"]);
    expect(facts.leftOut).toEqual([
      { attack: "mi-face", reason: expect.stringMatching(/^failed while it was timed: mi-face: the loss is Infinity/) },
    ]);
    expect(auditVerdict(facts, result).grounds.join("\n")).toContain("Left out: mi-face failed while it was timed");
    expect((await audit("broken", options)).facts).toEqual(facts);
    const alone = { ...options, settings: { ...SETTINGS, attacks: [attacks[0]!] }, attacks: ["mi-face"] };
    expect(await complaint(audit("broken alone", alone))).toMatch(/^no attack can be run: mi-face failed while/);
  });

  test.each<[string, () => Partial<AuditOptions> & Pick<AuditOptions, "model">, RegExp]>([
    [
      "count",
      () => ({ model: { file: join(root, "six.onnx") } }),
      /six\.onnx knows 6 classes, the private images lie in 4 folders/,
    ],
    [
      "names",
      () => ({ model: { file: files.onnx, labels: ["ada", "bea", "cy", "dee"] } }),
      /^--labels names the classes 'ada', 'bea', 'cy', 'dee', .+ Without a class: .+ Without a folder: 'ada',/,
    ],
    ["no architecture", () => ({ model: { file: files.safetensors } }), /weights alone do not say .+ --architecture/],
    ["other file", () => ({ model: { file: join(root, "own.yaml") } }), /expected a classifier as \.onnx/],
    [
      "access",
      () => ({ model: { file: files.onnx }, access: "labels" }),
      /gmi needs more of the model than --access labels; expected some of brep-mi/,
    ],
    [
      "settings",
      () => ({ model: { file: files.onnx }, settings: { model: "resnet18" } }),
      /--settings: the key model cannot be set here/,
    ],
  ])("says what is wrong: %s", async (name, options, message) => {
    await writeFile(join(root, "six.onnx"), smallClassifier({ classes: 6 }));
    expect(await complaint(audit(`wrong-${name}`, options()))).toMatch(message);
  });
});

describe("defend", () => {
  const defend = (name: string, options: Partial<DefendOptions>) =>
    runDefend({
      model: { file: files.onnx },
      private: folders.private,
      public: folders.public,
      settings: SETTINGS,
      freeze: "layer2",
      ...place(name),
      ...options,
    });

  test("chooses the boundary by Fisher information, and writes a model with a card", async () => {
    const training = { epochs: 2, batch: 8 };
    const priors = [{ kind: "dcgan", latent: 6, width: 4, steps: 4, critic: 1, batch: 8 }];
    const model = { file: publicWeights, architecture: { kind: "resnet10", width: 4 } };
    const settings = { ...SETTINGS, training, priors };
    const facts = await defend("defended", { model, settings, freeze: "auto", size: 32 });
    expect(facts).toMatchObject({ newHead: true, classes: own.identities.map(({ identity }) => identity) });
    expect(["stem", "layer1.0", "layer2.0", "layer3.0", "layer4.0"]).toContain(facts.boundary.stage);
    expect((await readFile(facts.onnx)).length).toBeGreaterThan(1000);
    const card = await readFile(await writeModelCard(facts), "utf8");
    expect(card).toContain(`everything up to ${facts.boundary.stage} is as in the file`);
    expect(card).toMatch(/chosen by Fisher information: what is frozen holds/);
    expect(card).toContain("Nothing was measured: no attack was run on this model.");
  });

  test("gives a file of other classes a new head", async () => {
    const file = join(root, "public.onnx");
    await writeFile(file, smallClassifier({ classes: 6 }));
    const facts = await defend("new-head", { model: { file }, freeze: "layer1", size: 32 });
    expect(facts).toMatchObject({ newHead: true, boundary: { stage: "layer1.0" } });
    expect(await readFile(await writeModelCard(facts), "utf8")).toContain("The boundary was named by hand.");
  });

  test("attacks the result beside an undefended one", async () => {
    const facts = await defend("audited", { freeze: "layer2", audit: { access: "white-box", attacks: ["gmi"] } });
    const { result } = facts.audit!;
    await expectPublishedResults(join(root, "audited"), result);
    expect(result.cells.map(({ defense, boundary }) => [defense, boundary])).toEqual([
      ["none", null],
      ["tl-dmi", facts.boundary.stage],
    ]);
    expect(facts.newHead).toBe(false);
    expect(facts.naturalAccuracy).toEqual(result.cells[1]!.naturalAccuracy);
    const card = await readFile(await writeModelCard(facts), "utf8");
    expect(card).toContain("everything up to layer2.0 is as in the file");
    expect(card).toContain("Without a defense,");
    // What it wrote can be audited in its turn, and is as useful as it says.
    const copy = join(root, "defended.onnx");
    await copyFile(facts.onnx, copy);
    const again = await audit("defended-audit", { model: { file: copy } });
    expect(again.facts.target.naturalAccuracy).toEqual(facts.naturalAccuracy);
    expect(again.result.cells[0]!.attackAccuracy).toEqual(result.cells[1]!.attackAccuracy);
  });
});
