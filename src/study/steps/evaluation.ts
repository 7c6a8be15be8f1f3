import { join } from "node:path";
import type { Queries } from "../../attacks/queries.ts";
import type { StyleSpace } from "../../attacks/space.ts";
import type { AttributeData, ImageSet, StudyData } from "../../data/dataset.ts";
import { writePng } from "../../data/image-file.ts";
import type { Defended } from "../../defenses/compose.ts";
import { atOnce } from "../../engine/at-once.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { seedFor } from "../../engine/random.ts";
import type { JudgedIdentity } from "../../metrics/agreement.ts";
import { attackAccuracy, attackAccuracyTop5 } from "../../metrics/attack-accuracy.ts";
import { type AttributeRecovery, attributeRecovery } from "../../metrics/attribute-recovery.ts";
import { metrics } from "../../metrics/index.ts";
import { knnDistance } from "../../metrics/knn-distance.ts";
import type { Measured } from "../../metrics/measured.ts";
import type { Evidence } from "../../metrics/metric.ts";
import { naturalAccuracy } from "../../metrics/natural-accuracy.ts";
import { hits } from "../../metrics/top-k.ts";
import { type Answers, answersFor } from "../../models/answers.ts";
import type { Model } from "../../models/model.ts";
import { classifierPredictor, predictSet } from "../../models/predict.ts";
import type { PriorNetworks } from "../../priors/prior.ts";
import { asJson } from "../canonical.ts";
import type { IdentityResult, JudgesResult } from "../result.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import type { StepContext } from "../step-store.ts";
import type { Study } from "../study-schema.ts";
import { answersOf } from "./answers.ts";
import { FLOORS } from "./attack.ts";
import { openJudge } from "./judge.ts";
import { evidenceOn, type MeasuredByKind, measureAll } from "./measuring.ts";
import { judgementOf, type Opinions, opinionSteps, testAccuracyOf } from "./opinions.ts";
import { type PlannedStep, planStep } from "./planned.ts";
import { readRealImages } from "./real-images.ts";
import { openReconstructions } from "./reconstructions.ts";
import { askedOf, remembered } from "./remembered.ts";

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
  readonly remark?: string;
  readonly metrics: MeasuredByKind;
  readonly realImages: MeasuredByKind;
  readonly attributeRecovery: readonly AttributeRecovery[];
  readonly identities: readonly IdentityResult[];
  readonly evaluationModel: { readonly kind: string; readonly naturalAccuracy: Measured };
  readonly judges?: JudgesResult;
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
  readonly defended: Defended;
  readonly evaluationModel: Model;
  readonly attributeModel: Model | undefined;
  readonly opinions: Opinions;
  /** A classifier that has learnt from the reconstructions alone. */
  readonly student: { readonly model: Model; readonly step: PlannedStep } | undefined;
  readonly steps: {
    readonly attack: PlannedStep;
    readonly target: PlannedStep;
    readonly prior?: PlannedStep;
    readonly evaluation: PlannedStep;
    readonly realImages: PlannedStep;
    readonly attributes?: PlannedStep;
  };
}

/** Renders what an attack found and judges it, and its floors, by the evaluation model. */
export function evaluationStep(options: EvaluationOptions): PlannedStep {
  const { study, data, name, seed, steps, defended, opinions, student } = options;
  const hashes = { train: data.private.train.hash, test: data.private.test.hash };
  const spec = {
    kind: "evaluation",
    version: 3,
    config: asJson({ metrics: study.metrics, seed, outputs: defended.outputs }),
    data: hashes,
  };
  const needs = {
    ...steps,
    ...opinionSteps(opinions),
    ...(student && { student: student.step }),
  };
  return planStep(`evaluation of ${name}, seed ${seed}`, spec, needs, async (context, dir) => {
    const found = await evaluate(options, context, dir);
    await writeFileAtomic(join(context.dir, EVALUATION), `${JSON.stringify(found, undefined, 2)}\n`);
  });
}

async function evaluate(
  {
    study,
    data,
    seed,
    networks,
    styles,
    defended,
    evaluationModel,
    attributeModel,
    opinions,
    student,
    steps,
  }: EvaluationOptions,
  context: StepContext,
  dir: (need: PlannedStep) => string,
): Promise<Evaluation> {
  const { test } = data.private;
  const { model } = defended;
  const { attack, prior } = steps;
  const found = await openReconstructions(
    { model, attack, ...(networks && { networks }), ...(styles && { styles }), ...(prior && { prior }) },
    dir,
  );
  const { record, images, labels } = found;
  await writeImages(join(context.dir, IMAGES), images, labels, model.input);

  const onTest = async (classifier: Model, step: PlannedStep, answers?: Answers) => {
    const ask = () => logitsOf(classifier, dir(step), test, answers);
    const logits = answers
      ? await ask()
      : await remembered(`logits of ${step.spec.kind}`, askedOf(dir(step), test), ask);
    return { logits, labels: test.labels };
  };
  // Most defenses leave answers as they are; then the weights are read by whoever asks.
  const answers =
    defended.outputs && (await answersOf(defended, await readState(join(dir(steps.target), WEIGHTS)), data, seed));
  const judge = await openJudge(evaluationModel, dir(steps.evaluation));
  const evidence: Evidence = {
    ...(await evidenceOn({
      judge,
      data,
      images: { images, labels },
      natural: await onTest(model, steps.target, answers),
      seed: seedFor(seed, "intervals"),
    })),
    ...(student && { student: await onTest(student.model, student.step) }),
  };
  const floor = async (file: string): Promise<Evidence> => ({
    ...evidence,
    reconstructions: await judge.judge({ images: await found.render(file), labels }),
  });
  const floors = {
    randomPrior: await floor(FLOORS.randomPrior),
    initialSelection: await floor(FLOORS.initialSelection),
  };
  const measured = await measureAll(
    metrics.filter((m) => study.metrics.includes(m.kind)),
    evidence,
  );
  await judge.release();
  await found.release();

  const judged = { kind: evaluationModel.kind, naturalAccuracy: await testAccuracyOf(dir(steps.evaluation)) };
  const classes = test.classes.length;
  const judgement = await judgementOf({
    first: {
      name: judged.kind,
      naturalAccuracy: judged.naturalAccuracy,
      hits: hits(evidence.reconstructions.logits, labels, classes, 1),
    },
    opinions,
    found: { images, labels },
    classes,
    seed: evidence.seed,
    dir,
  });
  return {
    naturalAccuracy: naturalAccuracy.measure(evidence),
    attackAccuracy: attackAccuracy.measure(evidence),
    attackAccuracyTop5: attackAccuracyTop5.measure(evidence),
    knnDistance: knnDistance.measure(evidence),
    floors: {
      randomPrior: attackAccuracy.measure(floors.randomPrior),
      initialSelection: attackAccuracy.measure(floors.initialSelection),
    },
    queries: record.queries,
    ...(record.remark && { remark: record.remark }),
    metrics: measured,
    realImages: await readRealImages(dir(steps.realImages)),
    attributeRecovery:
      steps.attributes !== undefined && attributeModel !== undefined && data.attributes !== undefined
        ? await readAttributes(data, data.attributes, attributeModel, dir(steps.attributes), images, labels, seed)
        : [],
    identities: identityResults(evidence, floors, judgement?.byIdentity),
    evaluationModel: judged,
    ...(judgement && { judges: judgement.judges }),
  };
}

/** A trained classifier's logits of a whole set. */
async function logitsOf(model: Model, dir: string, set: ImageSet, answers?: Answers): Promise<Float32Array> {
  const net = await classifierPredictor(model, await readState(join(dir, WEIGHTS)));
  const logits = answers ? await answersFor(net, set, model.classes, answers) : (await predictSet(net, set)).logits;
  await net.release();
  return logits;
}

async function readAttributes(
  data: StudyData,
  attributes: AttributeData,
  model: Model,
  dir: string,
  images: Float32Array,
  labels: Int32Array,
  seed: number,
): Promise<AttributeRecovery[]> {
  const { test } = data.private;
  const reader = await classifierPredictor(model, await readState(join(dir, WEIGHTS)));
  const reconstructions = { labels, outputs: (await reader.predict(images, labels.length)).logits };
  const read = async () => (await predictSet(reader, test)).logits;
  const real = { labels: test.labels, outputs: await remembered("attributes", askedOf(dir, test), read) };
  await reader.release();
  const { specs, private: truth, values: population } = attributes;
  return attributeRecovery({ specs, truth, population, reconstructions, real, seed: seedFor(seed, "attributes") });
}

function identityResults(
  evidence: Evidence,
  floors: { readonly randomPrior: Evidence; readonly initialSelection: Evidence },
  judged: readonly JudgedIdentity[] | undefined,
): IdentityResult[] {
  const of = {
    randomPrior: attackAccuracy.perIdentity(floors.randomPrior),
    initialSelection: attackAccuracy.perIdentity(floors.initialSelection),
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
    floors: { randomPrior: of.randomPrior[label]!, initialSelection: of.initialSelection[label]! },
    ...(judged && { judges: judged[label]! }),
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
  const names = Array.from(labels, (label) => {
    const k = counts.get(label) ?? 0;
    counts.set(label, k + 1);
    return join(String(label), `${k}.png`);
  });
  await atOnce(names, (name, i) =>
    writePng(join(folder, name), images.subarray(i * length, (i + 1) * length), { channels, height, width }),
  );
}
