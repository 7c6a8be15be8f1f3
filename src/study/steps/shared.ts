import { join } from "node:path";
import type { AttributeData, StudyData } from "../../data/dataset.ts";
import { seedFor } from "../../engine/random.ts";
import { attributeTargets } from "../../metrics/attribute-layout.ts";
import { attributeObjective } from "../../metrics/attribute-objective.ts";
import { initialState } from "../../models/bind.ts";
import { logitsLayer, type Model, weightsOf } from "../../models/model.ts";
import { train } from "../../models/train.ts";
import { asJson } from "../canonical.ts";
import { WEIGHTS, writeState } from "../state-file.ts";
import type { Study } from "../study-schema.ts";
import { trainClassifier } from "./classifier.ts";
import { type PlannedStep, planStep } from "./planned.ts";

// Steps that all cells share. They depend on the data's seed alone, not on a cell's.

/** The target's start weights: its architecture, trained on the pre-training set. */
export function pretrainingStep(study: Study, data: StudyData, model: Model): PlannedStep {
  const { train: images, test } = data.pretraining;
  const config = asJson({ model: study.model, training: study.pretraining, seed: study.dataSeed });
  return planStep(
    `start weights of ${model.kind}`,
    { kind: "pretraining", version: 1, config, data: { train: images.hash, test: test.hash } },
    {},
    (context) =>
      trainClassifier(context, {
        name: "pretraining",
        model,
        train: images,
        test,
        settings: study.pretraining,
        seed: study.dataSeed,
      }),
  );
}

/** The evaluation model, trained on images of the private identities; judged by the private test images, selected on the validation ones. */
export function evaluationModelStep(study: Study, data: StudyData, model: Model): PlannedStep {
  const { validation, test } = data.private;
  const config = asJson({ ...study.evaluation, seed: study.dataSeed });
  const hashes = { train: data.evaluation.hash, validation: validation.hash, test: test.hash };
  return planStep(
    `evaluation model ${model.kind}`,
    { kind: "evaluation-model", version: 1, config, data: hashes },
    {},
    (context) =>
      trainClassifier(context, {
        name: "evaluation-model",
        model,
        train: data.evaluation,
        validation,
        test,
        settings: study.evaluation.training,
        seed: study.dataSeed,
      }),
  );
}

/** The regressor that reads attributes from images, trained on people who are not private. */
export function attributeModelStep(
  study: Study & { readonly attributes: object },
  attributes: AttributeData,
  model: Model,
): PlannedStep {
  const config = asJson({ ...study.attributes, seed: study.dataSeed });
  const hashes = { train: attributes.train.hash, test: attributes.test.hash };
  return planStep(
    `attribute model ${model.kind}`,
    { kind: "attribute-model", version: 1, config, data: hashes },
    {},
    async (context) => {
      const seed = seedFor(study.dataSeed, "attribute-model");
      const state = await train({
        work: context,
        name: "attribute-model",
        trained: logitsLayer(model),
        start: initialState(weightsOf(model), seed),
        objective: attributeObjective(attributes.specs),
        targets: attributes.values.map((values) => attributeTargets(attributes.specs, values)),
        train: attributes.train,
        validation: attributes.test,
        settings: study.attributes.training,
        seed,
      });
      await writeState(join(context.dir, WEIGHTS), state, "float16");
    },
  );
}
