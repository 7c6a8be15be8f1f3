import { join } from "node:path";
import type { ImageSet } from "../../data/dataset.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { seedFor } from "../../engine/random.ts";
import type { StateDict } from "../../engine/store.ts";
import { wilson } from "../../metrics/interval.ts";
import type { Measured } from "../../metrics/measured.ts";
import { hits } from "../../metrics/top-k.ts";
import { initialState } from "../../models/bind.ts";
import { logitsLayer, type Model, weightsOf } from "../../models/model.ts";
import { classifierPredictor, predictSet } from "../../models/predict.ts";
import { classification, oneHotTargets, train } from "../../models/train.ts";
import type { TrainingSettings } from "../../models/training.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import type { StepContext } from "../step-store.ts";

/** Name of a classifier's test accuracy in its step's folder. */
export const TEST_ACCURACY = "accuracy.json";

/** Trains a classifier from random weights, and writes its weights and its test accuracy: start weights and evaluation models. */
export async function trainClassifier(
  context: StepContext,
  options: {
    readonly name: string;
    readonly model: Model;
    readonly train: ImageSet;
    readonly validation?: ImageSet;
    readonly test: ImageSet;
    readonly settings: TrainingSettings;
    readonly seed: number;
  },
): Promise<void> {
  const { name, model, test, settings, validation } = options;
  const state = await train({
    work: context,
    name,
    trained: logitsLayer(model),
    start: initialState(weightsOf(model), seedFor(options.seed, name)),
    objective: classification,
    targets: oneHotTargets(model.classes),
    train: options.train,
    ...(validation && { validation }),
    settings,
    seed: seedFor(options.seed, name),
  });
  const path = join(context.dir, WEIGHTS);
  await writeState(path, state, "float16");
  // Of what is kept, which is rounded.
  const measured = await testAccuracy(model, await readState(path), test);
  await writeFileAtomic(join(context.dir, TEST_ACCURACY), `${JSON.stringify(measured)}\n`);
}

/** A classifier's accuracy on a test set. */
export async function testAccuracy(model: Model, state: StateDict, test: ImageSet): Promise<Measured> {
  const net = await classifierPredictor(model, state);
  const { logits } = await predictSet(net, test).finally(() => net.release());
  const found = hits(logits, test.labels, model.classes, 1).reduce((n, hit) => n + hit, 0);
  return wilson(found, test.size);
}
