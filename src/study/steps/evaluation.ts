import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Queries } from "../../attacks/queries.ts";
import { type StyleSpace, searchSpace } from "../../attacks/space.ts";
import type { AttributeData, StudyData } from "../../data/dataset.ts";
import { writePng } from "../../data/image-file.ts";
import { readNpy } from "../../data/npy.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { seedFor } from "../../engine/random.ts";
import { attackAccuracy, attackAccuracyTop5 } from "../../metrics/attack-accuracy.ts";
import { type AttributeRecovery, attributeRecovery } from "../../metrics/attribute-recovery.ts";
import { metrics } from "../../metrics/index.ts";
import { knnDistance } from "../../metrics/knn-distance.ts";
import type { Measured } from "../../metrics/measured.ts";
import type { Evidence } from "../../metrics/metric.ts";
import { naturalAccuracy } from "../../metrics/natural-accuracy.ts";
import type { Model } from "../../models/model.ts";
import { classifierPredictor, predictSet } from "../../models/predict.ts";
import type { PriorNetworks } from "../../priors/prior.ts";
import type { IdentityResult } from "../result.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import type { StepContext } from "../step-store.ts";
import type { Study } from "../study-schema.ts";
import { ATTACK_RECORD, type AttackRecord, FLOORS, reconstructionsFile, trainedPrior } from "./attack.ts";
import { TEST_ACCURACY } from "./classifier.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/** Files of an evaluation step. */
export const EVALUATION = "evaluation.json";
export const IMAGES = "images";

/** What an evaluation found, as `evaluation.json` holds it. */
export interface Evaluation {
  readonly naturalAccuracy: Measured;
  readonly attackAccuracy: Measured;
  readonly attackAccuracyTop5: Measured;
  readonly knnDistance: Measured;
  readonly floors: { readonly randomPrior: Measured; readonly initialSelection: Measured };
  readonly queries: Queries;
  readonly metrics: Readonly<Record<string, Measured>>;
  readonly attributeRecovery: readonly AttributeRecovery[];
  readonly identities: readonly IdentityResult[];
  readonly evaluationModel: { readonly kind: string; readonly naturalAccuracy: Measured };
}

/** What judging an attack takes. */
export interface EvaluationOptions {
  readonly study: Study;
  readonly data: StudyData;
  readonly name: string;
  readonly seed: number;
  /** Of the prior that the attack searched in; absent where it searched among images themselves. */
  readonly networks?: PriorNetworks;
  /** The styles that the attack searched among, where it did not search among latents. */
  readonly styles?: StyleSpace;
  readonly model: Model;
  readonly evaluationModel: Model;
  readonly attributeModel: Model | undefined;
  readonly steps: {
    readonly attack: PlannedStep;
    readonly target: PlannedStep;
    readonly prior?: PlannedStep;
    readonly evaluation: PlannedStep;
    readonly attributes?: PlannedStep;
  };
}

/** Renders what an attack found and judges it, and its floors, by the evaluation model. */
export function evaluationStep(options: EvaluationOptions): PlannedStep {
  const { study, data, name, seed, steps } = options;
  const hashes = { train: data.private.train.hash, test: data.private.test.hash };
  const spec = { kind: "evaluation", version: 2, config: { metrics: study.metrics, seed }, data: hashes };
  return planStep(`evaluation of ${name}, seed ${seed}`, spec, steps, async (context, dir) => {
    const found = await evaluate(options, context, dir);
    await writeFileAtomic(join(context.dir, EVALUATION), `${JSON.stringify(found, undefined, 2)}\n`);
  });
}

async function evaluate(
  { study, data, seed, networks, styles, model, evaluationModel, attributeModel, steps }: EvaluationOptions,
  context: StepContext,
  dir: (need: PlannedStep) => string,
): Promise<Evaluation> {
  const record = JSON.parse(await readFile(join(dir(steps.attack), ATTACK_RECORD), "utf8")) as AttackRecord;
  const labels = Int32Array.from(record.labels);
  const { prior } = steps;
  const space = searchSpace(await trainedPrior(prior, networks, dir), model.input, styles);
  const render = async (file: string) => space.render((await readNpy(join(dir(steps.attack), file))).data, labels);
  const images = await render(reconstructionsFile(prior));
  await writeImages(join(context.dir, IMAGES), images, labels, model.input);

  const target = await classifierPredictor(model, await readState(join(dir(steps.target), WEIGHTS)));
  const natural = { logits: (await predictSet(target, data.private.test)).logits, labels: data.private.test.labels };
  await target.release();

  const judge = await classifierPredictor(evaluationModel, await readState(join(dir(steps.evaluation), WEIGHTS)));
  const judged = async (rendered: Float32Array) => ({ labels, ...(await judge.predict(rendered, labels.length)) });
  const evidence: Evidence = {
    classes: data.private.train.classes,
    natural,
    reconstructions: await judged(images),
    references: { labels: data.private.train.labels, features: (await predictSet(judge, data.private.train)).features },
    featureLength: evaluationModel.features,
    seed: seedFor(seed, "intervals"),
  };
  const floor = async (file: string) =>
    attackAccuracy.measure({ ...evidence, reconstructions: await judged(await render(file)) });
  const floors = {
    randomPrior: await floor(FLOORS.randomPrior),
    initialSelection: await floor(FLOORS.initialSelection),
  };
  await judge.release();
  await space.release();

  return {
    naturalAccuracy: naturalAccuracy.measure(evidence),
    attackAccuracy: attackAccuracy.measure(evidence),
    attackAccuracyTop5: attackAccuracyTop5.measure(evidence),
    knnDistance: knnDistance.measure(evidence),
    floors,
    queries: record.queries,
    metrics: Object.fromEntries(
      metrics.filter((m) => study.metrics.includes(m.kind)).map((m) => [m.kind, m.measure(evidence)]),
    ),
    attributeRecovery:
      steps.attributes !== undefined && attributeModel !== undefined && data.attributes !== undefined
        ? await readAttributes(
            data,
            data.attributes,
            attributeModel,
            join(dir(steps.attributes), WEIGHTS),
            images,
            labels,
            seed,
          )
        : [],
    identities: identityResults(evidence),
    evaluationModel: {
      kind: evaluationModel.kind,
      naturalAccuracy: JSON.parse(await readFile(join(dir(steps.evaluation), TEST_ACCURACY), "utf8")) as Measured,
    },
  };
}

async function readAttributes(
  data: StudyData,
  attributes: AttributeData,
  model: Model,
  weights: string,
  images: Float32Array,
  labels: Int32Array,
  seed: number,
): Promise<AttributeRecovery[]> {
  const reader = await classifierPredictor(model, await readState(weights));
  const reconstructions = { labels, outputs: (await reader.predict(images, labels.length)).logits };
  const real = { labels: data.private.test.labels, outputs: (await predictSet(reader, data.private.test)).logits };
  await reader.release();
  const { specs, private: truth, values: population } = attributes;
  return attributeRecovery({ specs, truth, population, reconstructions, real, seed: seedFor(seed, "attributes") });
}

function identityResults(evidence: Evidence): IdentityResult[] {
  const of = {
    naturalAccuracy: naturalAccuracy.perIdentity(evidence),
    attackAccuracy: attackAccuracy.perIdentity(evidence),
    attackAccuracyTop5: attackAccuracyTop5.perIdentity(evidence),
    knnDistance: knnDistance.perIdentity(evidence),
  };
  const attacked = [...new Set(evidence.reconstructions.labels)];
  return attacked.map((label) => ({
    identity: evidence.classes[label]!,
    label,
    naturalAccuracy: of.naturalAccuracy[label]!,
    attackAccuracy: of.attackAccuracy[label]!,
    attackAccuracyTop5: of.attackAccuracyTop5[label]!,
    knnDistance: of.knnDistance[label]!,
  }));
}

/** `<folder>/<label>/<k>.png` for the k-th reconstruction of each class */
async function writeImages(
  folder: string,
  images: Float32Array,
  labels: Int32Array,
  [channels, height, width]: readonly [number, number, number],
): Promise<void> {
  const length = channels * height * width;
  const counts = new Map<number, number>();
  for (const [i, label] of labels.entries()) {
    const k = counts.get(label) ?? 0;
    counts.set(label, k + 1);
    await writePng(join(folder, String(label), `${k}.png`), images.subarray(i * length, (i + 1) * length), {
      channels,
      height,
      width,
    });
  }
}
