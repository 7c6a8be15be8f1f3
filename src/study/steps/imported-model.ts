import { join } from "node:path";
import type { StudyData } from "../../data/dataset.ts";
import type { Defended } from "../../defenses/compose.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { UserError } from "../../engine/errors.ts";
import { refusal } from "../../engine/import/refusal.ts";
import { initialState } from "../../models/bind.ts";
import { type ImportedWeights, type Model, weightsOf } from "../../models/model.ts";
import { asJson } from "../canonical.ts";
import { readState, WEIGHTS, writeState } from "../state-file.ts";
import type { Study } from "../study-schema.ts";
import { TEST_ACCURACY, testAccuracy } from "./classifier.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/** Start weights that an imported model brings: nothing is trained. The model is compared with the runtime's view of the file. */
export function importedWeightsStep(study: Study, model: Model, imported: ImportedWeights): PlannedStep {
  const config = asJson({ model: study.model, classes: model.classes });
  const spec = { kind: "imported-weights", version: 1, config };
  return planStep("start weights of the imported model", spec, {}, async (context) => {
    await imported.verify();
    await writeState(join(context.dir, WEIGHTS), initialState(weightsOf(model), study.dataSeed));
  });
}

/** An imported model as a target just as it is. */
export function importedTargetStep(data: StudyData, model: Model, start: PlannedStep): PlannedStep {
  const { test } = data.private;
  const spec = { kind: "imported-target", version: 1, config: {}, data: { test: test.hash } };
  return planStep("target: the imported model as it is", spec, { start }, async (context, dir) => {
    const state = await readState(join(dir(start), WEIGHTS));
    await writeState(join(context.dir, WEIGHTS), state);
    await writeFileAtomic(
      join(context.dir, TEST_ACCURACY),
      `${JSON.stringify(await testAccuracy(model, state, test))}\n`,
    );
  });
}

/** Whether a study brings its undefended target. */
export function isBrought({ model, target }: Study): boolean {
  return target !== undefined || (model.kind === "onnx" && model.weights === "target");
}

/** Whether the target of these defenses is the file itself: nothing of it is trained, though its answers may be guarded. */
export function isTargetItself(study: Study, { recipe, changes }: Defended): boolean {
  return isBrought(study) && recipe.start === "pretrained" && recipe.boundary === null && changes.length === 0;
}

/** @throws UserError where one of the defenses would freeze weights of a file that is a target itself; `remedy` says what would be right. */
export function refuseFrozen(file: string, all: readonly Defended[], remedy: string): void {
  const freezes = all.find(({ recipe }) => recipe.boundary !== null);
  if (freezes === undefined) return;
  throw new UserError(
    `${freezes.name} cannot start from ${file}: a file that is a target itself has seen the private images, and its frozen layers would ` +
      `keep what they know of them; ${remedy}`,
  );
}

/**
 * Checks what a study asks of an imported model.
 * @throws UserError where it should start from scratch, and of a file that is to be the target itself where a defense would freeze its
 * weights or where it knows other classes than the data
 */
export function checkImported(
  study: Study,
  imported: ImportedWeights,
  classes: readonly string[],
  all: readonly Defended[],
): void {
  const scratch = all.find(({ recipe }) => recipe.start === "scratch");
  if (scratch !== undefined) {
    throw new UserError(
      `${scratch.name}: start: scratch needs an architecture with random weights, a model of kind onnx has the file's; leave it out`,
    );
  }
  const { file, ownHead, labels } = imported;
  if (study.model.kind === "onnx" && study.model.weights === "target")
    refuseFrozen(file, all, 'name one that was pre-trained on other images, with weights: "start"');
  if (!all.some((defended) => isTargetItself(study, defended))) return;
  if (!ownHead) {
    const known = imported.classes === undefined ? "" : `, namely ${imported.classes}`;
    throw refusal(
      `${file} cannot be the target itself: it has another number of classes than the ${classes.length} of the private data${known}; ` +
        'use weights: "start"',
    );
  }
  const odd = labels?.findIndex((label, i) => label !== classes[i]) ?? -1;
  if (odd >= 0) {
    throw refusal(
      `${file} cannot be the target itself: its class ${odd} is "${labels![odd]}", that of the private data is "${classes[odd]}"; ` +
        "name the data's classes as the file does",
    );
  }
}
