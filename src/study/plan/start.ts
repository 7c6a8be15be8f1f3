import { readsPublicWeights } from "../../attacks/attack.ts";
import type { StudyData } from "../../data/dataset.ts";
import { UserError } from "../../engine/errors.ts";
import type { WeightFile } from "../../engine/weight-file.ts";
import type { Model } from "../../models/model.ts";
import { buildModel, type Choice, chosenAttack } from "../choose.ts";
import type { StudyWeights } from "../read-study.ts";
import { importedStep } from "../steps/from-file.ts";
import { importedWeightsStep, isBrought } from "../steps/imported-model.ts";
import type { PlannedStep } from "../steps/planned.ts";
import { pretrainingStep } from "../steps/shared.ts";
import type { Study } from "../study-schema.ts";

/** Where the target's weights start: brought by the model itself or by the study's file, or trained on the pre-training set. */
export function planStart(options: {
  readonly study: Study;
  readonly read: Study;
  readonly data: StudyData;
  readonly model: Model;
  readonly file: WeightFile | undefined;
}): PlannedStep {
  const { study, read, data, model, file } = options;
  if (model.imported !== undefined) {
    if (file !== undefined) {
      const key = study.target === undefined ? "pretraining.weights" : "target";
      throw new UserError(`${key}: a model of kind onnx brings its own weights, leave this key out`);
    }
    return importedWeightsStep(study, model, model.imported);
  }
  const { train } = data.pretraining;
  const classes = train.classes.length;
  const starter = buildModel(read.model as Choice, { input: model.input, classes });
  if (file !== undefined) {
    const { model: choice, dataSeed: seed } = study;
    return importedStep({ name: "start weights", kind: "pretraining", model: starter, choice, file, seed });
  }
  if (classes < 2) {
    throw new UserError(
      `${train.name}: its images are of one class, so no start weights can be trained on them; ` +
        "name labelled images as data.pretraining, or a file of weights as pretraining.weights",
    );
  }
  return pretrainingStep(study, data, starter);
}

/** The weights that attackers may have: those that targets start from, but never those of a target that somebody brings. */
export function publicStart(study: Study, weights: StudyWeights, pretraining: PlannedStep): PlannedStep | undefined {
  return isBrought(study) && weights.start === undefined ? undefined : pretraining;
}

/** @throws UserError for an attack that reads public weights where none are known. */
export function refuseWithoutStart({ attacks }: Study): void {
  for (const [i, choice] of attacks.entries()) {
    const { kind } = choice;
    if (!readsPublicWeights(chosenAttack(choice as Choice).member)) continue;
    throw new UserError(
      `attacks[${i}]: ${kind} reads the public weights that the target started from, and of a target that is brought they are not known; ` +
        "name them as pretraining.weights, and the target's own as target.weights, or leave this attack out",
    );
  }
}
