import { join } from "node:path";
import type { ImageSet } from "../../data/dataset.ts";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { UserError } from "../../engine/errors.ts";
import { seedFor } from "../../engine/random.ts";
import { readWeightFile, type WeightFile } from "../../engine/weight-file.ts";
import { initialState } from "../../models/bind.ts";
import { fitWeights } from "../../models/fit-weights.ts";
import { type Model, weightsOf } from "../../models/model.ts";
import { asJson } from "../canonical.ts";
import { WEIGHTS, writeState } from "../state-file.ts";
import { TEST_ACCURACY, testAccuracy } from "./classifier.ts";
import { type PlannedStep, planStep } from "./planned.ts";

/**
 * Weights from a file in place of training. What goes into the step's id is the file's content, not its path. A classifier with a
 * `test` set must have the head that it is judged by in the file; without one, a head for other classes has its first weights.
 * @throws UserError where the file does not fit the model.
 */
export function importedStep(options: {
  /** What the weights are for: `start weights`, `evaluation model`. */
  readonly name: string;
  readonly kind: string;
  readonly model: Model;
  /** The model's keys in the study file. */
  readonly choice: unknown;
  readonly file: WeightFile;
  readonly test?: ImageSet;
  readonly seed: number;
}): PlannedStep {
  const { name, kind, model, choice, test, seed } = options;
  const { path, hash } = options.file;
  const { head } = fitWeights(model, options.file);
  if (test !== undefined && !head) {
    throw new UserError(
      `${path}: its head does not fit the ${name}: expected ${describeHead(model)} for ${model.classes} classes`,
    );
  }
  const spec = {
    kind,
    version: 1,
    config: asJson({ model: choice, seed }),
    data: { weights: hash, ...(test && { test: test.hash }) },
  };
  return planStep(`${name} of ${model.kind}, from a file`, spec, {}, async (context) => {
    // Read again: between planning and this step a whole study may lie, for which the file's bytes need not be held.
    const file = await readWeightFile(path);
    if (file.hash !== hash) throw new UserError(`${path}: changed while the study ran; run it again`);
    const state = { ...initialState(weightsOf(model), seedFor(seed, kind)), ...fitWeights(model, file).read() };
    await writeState(join(context.dir, WEIGHTS), state);
    if (test === undefined) return;
    const measured = await testAccuracy(model, state, test);
    await writeFileAtomic(join(context.dir, TEST_ACCURACY), `${JSON.stringify(measured)}\n`);
  });
}

function describeHead(model: Model): string {
  return model.head.weights.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
}
