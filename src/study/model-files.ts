import { resolve } from "node:path";
import { readClassifierFile } from "../models/imported/file.ts";
import type { Study } from "./study-schema.ts";

type ModelChoice = Study["model"];

/** A model that is a file: where it lies, found from the study's folder, and the hash of what it holds. */
function pinned(model: ModelChoice, folder: string): ModelChoice {
  if (model.kind !== "onnx") return model;
  const file = resolve(folder, model.file);
  // A hash that the study says is compared when the model is built.
  return { ...model, file, sha256: model.sha256 ?? readClassifierFile(file, model.features ?? model.output).sha256 };
}

/** The same study with every model by a function of it. */
function withModels(study: Study, of: (model: ModelChoice) => ModelChoice): Study {
  const { model, evaluation, secondOpinions, attributes, student } = study;
  return {
    ...study,
    model: of(model),
    evaluation: { ...evaluation, model: of(evaluation.model) },
    secondOpinions: secondOpinions.map((opinion) => ({ ...opinion, model: of(opinion.model) })),
    ...(attributes && { attributes: { ...attributes, model: of(attributes.model) } }),
    ...(student && { student: { ...student, model: of(student.model) } }),
  };
}

/** Finds the model files of a study and says what is in them. @throws UserError for a file that cannot be read. */
export function pinModelFiles(study: Study, folder: string): Study {
  return withModels(study, (model) => pinned(model, folder));
}

/** The study as its steps are named by it: a model file counts by what it holds, wherever it lies. */
export function withoutPaths(study: Study): Study {
  return withModels(study, (model) => (model.kind === "onnx" ? { ...model, file: "" } : model));
}
