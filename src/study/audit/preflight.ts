import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageSet, StudyData } from "../../data/dataset.ts";
import { UserError } from "../../engine/errors.ts";
import type { Measured } from "../../metrics/measured.ts";
import { buildModel, type Choice } from "../choose.ts";
import type { StudyPlan } from "../plan.ts";
import { readState, WEIGHTS } from "../state-file.ts";
import type { StepResult } from "../step-store.ts";
import { TEST_ACCURACY } from "../steps/classifier.ts";
import type { PlannedStep } from "../steps/planned.ts";
import type { Study } from "../study-schema.ts";
import type { ClassMapping } from "./class-mapping.ts";
import { canJudge, chanceLine, JUDGE_MINIMUM, knowsClasses, likelyOrder } from "./plausible.ts";
import { answersTo, otherReadings, type Reading, someOf } from "./readings.ts";

type Run = (step: PlannedStep) => Promise<StepResult>;

/** How well a brought classifier knows the private people. */
export interface TargetCheck {
  readonly naturalAccuracy: Measured;
  /** A way to read its images with which it is right more often, intervals apart. */
  readonly better?: Reading;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const measuredText = ({ value, low, high }: Measured) => `${percent(value)} [${percent(low)}, ${percent(high)}]`;

/** A classifier's accuracy on the private test images, as its step found it. */
export async function accuracyOf({ dir }: StepResult): Promise<Measured> {
  return JSON.parse(await readFile(join(dir, TEST_ACCURACY), "utf8")) as Measured;
}

/**
 * Checks that a brought classifier knows the private people: where it does not, its images or classes are read wrongly, and no attack would
 * say anything of it.
 * @throws UserError with its accuracy, what other readings give, and what to try
 */
export async function checkTarget(options: {
  readonly file: string;
  readonly study: Study;
  readonly data: StudyData;
  readonly step: PlannedStep;
  readonly run: Run;
  readonly mapping: ClassMapping;
}): Promise<TargetCheck> {
  const { file, study, data, step, run, mapping } = options;
  const { test } = data.private;
  const done = await run(step);
  const naturalAccuracy = await accuracyOf(done);
  const classes = test.classes.length;
  const state = await readState(join(done.dir, WEIGHTS));
  const choice = study.model as Choice;
  const images = someOf(test);
  const readings = await otherReadings(choice, state, images);
  const [best] = readings;
  if (knowsClasses(naturalAccuracy, classes)) {
    const better = best !== undefined && best.accuracy.low > naturalAccuracy.high ? best : undefined;
    return { naturalAccuracy, ...(better && { better }) };
  }
  const shape = { input: [test.channels, test.height, test.width], classes } as const;
  const { predicted, labels } = await answersTo(buildModel(choice, shape), state, images);
  const order = likelyOrder(predicted, labels, classes);
  const found = `${file} is right about ${measuredText(naturalAccuracy)} of ${naturalAccuracy.n} private test images; guessing one of its ${classes} classes gives ${percent(1 / classes)}, a model that knows them is above ${percent(chanceLine(classes))}.`;
  throw new UserError(`${found} ${order === undefined ? adviceOn(readings, images) : orderAdvice(order, mapping)}`);
}

function adviceOn(readings: readonly Reading[], { classes, height, width }: ImageSet): string {
  const tried = readings.map(({ option, accuracy }) => `${option} ${percent(accuracy.value)}`).join(", ");
  const [best] = readings;
  if (best !== undefined && knowsClasses(best.accuracy, classes.length))
    return `Its images were read wrongly: try ${best.option}, which gives ${measuredText(best.accuracy)}.`;
  return `Either its images are read wrongly (tried as well: ${tried}; they were shown at ${height}×${width}: --size; further: --crop, and of an ONNX file --range, --mean, --std, --layout), or its classes are not the folders in this order (--labels), or it was not trained on these people.`;
}

/** `order`: for each folder the class that it is taken for. */
function orderAdvice(order: readonly number[], { folders }: ClassMapping): string {
  const named = folders.map((_, label) => folders[order.indexOf(label)]!);
  return `It tells the folders apart, but its classes have another order: try --labels ${named.join(",")}`;
}

/**
 * Trains or reads the evaluation model, and checks that it can judge.
 * @throws UserError where it knows too few real images: what it says of reconstructions would mean nothing
 */
export async function checkJudge(options: {
  readonly study: Study;
  readonly data: StudyData;
  readonly plan: StudyPlan;
  readonly run: Run;
}): Promise<{ readonly kind: string; readonly naturalAccuracy: Measured }> {
  const { study, data, plan, run } = options;
  const { kind } = study.evaluation.model as Choice;
  const step = plan.steps.find(({ spec }) => spec.kind === "evaluation-model");
  if (step === undefined) throw new Error("a study without an evaluation model");
  const naturalAccuracy = await accuracyOf(await run(step));
  if (canJudge(naturalAccuracy, data.private.test.classes.length)) return { kind, naturalAccuracy };
  throw new UserError(
    `no conclusion can be drawn: the evaluation model, ${kind}, is right about ${measuredText(naturalAccuracy)} of ${naturalAccuracy.n} real private test images (at least ${percent(JUDGE_MINIMUM)} are wanted), so what it says of reconstructions means nothing. ` +
      "Give it more images of the private people (--evaluation-images), another architecture (--evaluation), trained weights (--evaluation-weights), or longer training (--settings)",
  );
}
