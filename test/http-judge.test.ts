import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StudyData } from "../src/data/dataset.ts";
import { memorySet } from "../src/data/memory-set.ts";
import { writeNpy } from "../src/data/npy.ts";
import { HttpJudgeSettings } from "../src/metrics/http-judge.ts";
import { wilson } from "../src/metrics/interval.ts";
import { buildModel } from "../src/study/choose.ts";
import type { StepContext } from "../src/study/step-store.ts";
import { httpJudgeStep, readAnswers, realPairsOf, realPairsStep } from "../src/study/steps/http-judge.ts";
import { judgementOf } from "../src/study/steps/opinions.ts";
import { planStep } from "../src/study/steps/planned.ts";
import { judgeServer } from "./support/judge-server.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "http-judge-"));
});
afterAll(() => rm(root, { recursive: true }));

const CLASSES = 12;

/** Images of one plain grey by class, so that equal files mean equal identities. */
const set = (name: string, each: number) =>
  memorySet({
    name,
    channels: 1,
    height: 8,
    width: 8,
    classes: Array.from({ length: CLASSES }, (_, c) => `person ${c}`),
    labels: Int32Array.from({ length: CLASSES * each }, (_, i) => i % CLASSES),
    bytes: Uint8Array.from({ length: CLASSES * each * 64 }, (_, i) => 20 * (Math.floor(i / 64) % CLASSES)),
  });

const train = set("train", 3);
const data: StudyData = {
  private: { train, validation: set("validation", 1), test: set("test", 2) },
  public: train,
  pretraining: { train, test: train },
  evaluation: train,
};

/** A step's context whose checkpoints outlive it. */
function context(dir: string, kept: Map<string, Uint8Array>, signal: AbortSignal): StepContext {
  return {
    dir,
    signal,
    progress: () => {},
    log: async () => {},
    saveCheckpoint: async (name, bytes) => void kept.set(name, bytes.slice()),
    loadCheckpoint: async (name) => kept.get(name),
  };
}

const settingsFor = (endpoint: string) =>
  HttpJudgeSettings.parse({ name: "panel", endpoint, references: 2, parallel: 3, retries: 0 });

test("a judge is tried on real pairs; what was answered before an interruption is not asked again", async () => {
  const controller = new AbortController();
  const server = await judgeServer(({ image, references }, n) => {
    if (n === 9) controller.abort();
    return { body: JSON.stringify({ same: references.every((file) => file === image) }) };
  });
  const kept = new Map<string, Uint8Array>();
  const step = realPairsStep(settingsFor(server.endpoint), data);
  const stopped = step.body(context(root, kept, controller.signal), () => root);
  await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
  const before = server.requests.length;
  expect(before).toBeLessThan(2 * CLASSES);

  await step.body(context(root, kept, new AbortController().signal), () => root);
  // Three questions were under way when it stopped.
  expect(server.requests.length).toBeLessThanOrEqual(2 * CLASSES + 3);
  for (const { body } of server.requests) expect(body.references).toHaveLength(2);
  const answers = await readAnswers(root);
  expect(answers).toEqual([...Array(CLASSES).fill(true), ...Array(CLASSES).fill(false)]);
  expect(realPairsOf(answers)).toMatchObject({ same: { value: 1, n: CLASSES }, different: { value: 1, n: CLASSES } });
  await server.close();
});

test("its verdicts on reconstructions stand beside the evaluation model's", async () => {
  const [attackDir, verdictDir, realDir] = [join(root, "attack"), join(root, "verdicts"), join(root, "real")];
  for (const dir of [attackDir, verdictDir, realDir]) await mkdir(dir);
  // Four reconstructions, of persons 2, 2, 5 and 5, in the greys of 2, 3, 5 and 5.
  const labels = [2, 2, 5, 5];
  const greys = [40, 60, 100, 100];
  const images = Float32Array.from({ length: 4 * 64 }, (_, i) => greys[Math.floor(i / 64)]! / 255);
  await writeNpy(join(attackDir, "images.npy"), images, [4, 1, 8, 8]);
  await writeFile(join(attackDir, "attack.json"), JSON.stringify({ labels }));
  const attack = planStep("attack", { kind: "attack", version: 1, config: {} }, {}, async () => {});
  const model = buildModel({ kind: "resnet10", width: 4, stem: "small" }, { input: [1, 8, 8], classes: CLASSES });

  // Of the last reconstruction the judge does not want to say anything.
  let asked = 0;
  const server = await judgeServer(({ image, references }) => {
    asked++;
    return { body: JSON.stringify({ same: asked === 4 ? null : references.every((file) => file === image) }) };
  });
  const settings = { ...settingsFor(server.endpoint), parallel: 1 };
  const answers = httpJudgeStep({ settings, data, name: "attack", seed: 1, attacked: { model, attack } });
  const dirs = new Map([
    [attack, attackDir],
    [answers, verdictDir],
  ]);
  const never = new AbortController().signal;
  await answers.body(context(verdictDir, new Map(), never), (step) => dirs.get(step)!);
  const realPairs = realPairsStep(settings, data);
  dirs.set(realPairs, realDir);
  await realPairs.body(context(realDir, new Map(), never), () => realDir);
  await server.close();

  const judgement = await judgementOf({
    first: { name: "net", naturalAccuracy: wilson(9, 10), hits: Uint8Array.of(1, 1, 1, 0) },
    opinions: { classifiers: [], http: { name: "panel", answers, realPairs } },
    found: { images, labels: Int32Array.from(labels) },
    classes: CLASSES,
    seed: 1,
    dir: (step) => dirs.get(step)!,
  });
  expect(judgement!.judges).toMatchObject({
    judges: [
      { name: "net", naturalAccuracy: { value: 0.9 }, attackAccuracy: { value: 3 / 4 } },
      { name: "panel", refused: 1, realPairs: { same: { value: 1 } }, attackAccuracy: { value: 2 / 4 } },
    ],
    agreement: { value: 3 / 4 },
    unconfirmed: { value: 1 / 3, n: 3 },
    single: { value: 1 / 3, n: 3 },
  });
  expect([judgement!.byIdentity[2], judgement!.byIdentity[5]]).toEqual([
    { attackAccuracy: [1, 1 / 2], unanimous: 1 / 2 },
    { attackAccuracy: [1 / 2, 1 / 2], unanimous: 1 / 2 },
  ]);
});

test("a judge that says yes to everybody is shown to be worth nothing", () => {
  const { same, different } = realPairsOf(Array(8).fill(true));
  expect([same.value, different.value]).toEqual([1, 0]);
  expect(realPairsOf([null, true, null, false])).toMatchObject({ same: { value: 0.5 }, different: { value: 0.5 } });
});

test("an endpoint that fails ends the step with one error", async () => {
  const server = await judgeServer(() => ({ status: 403 }));
  const step = realPairsStep(settingsFor(server.endpoint), data);
  await expect(step.body(context(root, new Map(), new AbortController().signal), () => root)).rejects.toThrow(
    /judge panel at .*: status 403/,
  );
  expect(server.requests.length).toBeLessThanOrEqual(3);
  await server.close();
});
