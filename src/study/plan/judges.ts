import type { StudyData } from "../../data/dataset.ts";
import { UserError } from "../../engine/errors.ts";
import type { WeightFile } from "../../engine/weight-file.ts";
import { attributeWidth } from "../../metrics/attribute-layout.ts";
import type { Model } from "../../models/model.ts";
import { buildModel, type Choice } from "../choose.ts";
import { labelled } from "../entry-labels.ts";
import { importedStep } from "../steps/from-file.ts";
import { httpJudgeStep, realPairsStep } from "../steps/http-judge.ts";
import type { Opinions } from "../steps/opinions.ts";
import type { PlannedStep } from "../steps/planned.ts";
import { realImagesStep } from "../steps/real-images.ts";
import type { AttackedCell } from "../steps/reconstructions.ts";
import { attributeModelStep, evaluationModelStep } from "../steps/shared.ts";
import { studentStep } from "../steps/student.ts";
import type { Study } from "../study-schema.ts";

/** Who and what judges reconstructions, for all cells of a study. */
export interface Judges {
  readonly evaluationModel: Model;
  readonly evaluation: PlannedStep;
  /** What all metrics make of real images. */
  readonly realImages: PlannedStep;
  readonly attributes: { readonly model: Model; readonly step: PlannedStep } | undefined;
  readonly opinionsOn: (attacked: AttackedCell, name: string, seed: number) => Opinions;
  readonly studentOf: (
    attacked: AttackedCell,
    name: string,
    seed: number,
  ) => { readonly model: Model; readonly step: PlannedStep } | undefined;
}

interface JudgesOptions {
  readonly study: Study;
  /** The same study, with the paths of model files. */
  readonly read: Study;
  readonly data: StudyData;
  readonly input: Model["input"];
  /** The evaluation model's weights, where they are brought. */
  readonly file: WeightFile | undefined;
}

/** @throws UserError for a judge that does not fit the data, or that is another one over again. */
export function planJudges(options: JudgesOptions): Judges {
  const { study, read, data, input } = options;
  const classes = data.private.train.classes.length;
  const evaluationModel = buildModel(read.evaluation.model as Choice, { input, classes });
  const evaluation = planEvaluationModel(options, evaluationModel);
  return {
    evaluationModel,
    evaluation,
    realImages: realImagesStep(study, data, evaluationModel, evaluation),
    attributes: planAttributes(options),
    opinionsOn: planOpinions(options, evaluation),
    studentOf: planStudents(options),
  };
}

/** The evaluation model from the study's file, or trained on the private identities. */
function planEvaluationModel({ study, data, file }: JudgesOptions, model: Model): PlannedStep {
  if (file === undefined) return evaluationModelStep(study, data, model);
  const { model: choice } = study.evaluation;
  const { test } = data.private;
  return importedStep({
    name: "evaluation model",
    kind: "evaluation-model",
    model,
    choice,
    file,
    test,
    seed: study.dataSeed,
  });
}

/** Who reads attributes from images, where the study asks for them. */
function planAttributes({ study, data, input }: JudgesOptions): Judges["attributes"] {
  if (study.attributes === undefined) return undefined;
  if (data.attributes === undefined) {
    throw new UserError(`attributes: data of kind ${study.data.kind} has no known attributes, leave this key out`);
  }
  const classes = attributeWidth(data.attributes.specs);
  const model = buildModel(study.attributes.model as Choice, { input, classes });
  return { model, step: attributeModelStep({ ...study, attributes: study.attributes }, data.attributes, model) };
}

/** Who else judges reconstructions: steps that all cells share, and for each attack what the HTTP judge says. */
function planOpinions({ study, read, data, input }: JudgesOptions, evaluation: PlannedStep): Judges["opinionsOn"] {
  const { httpJudge, secondOpinions } = study;
  const kinds = labelled([study.evaluation, ...secondOpinions].map(({ model }) => ({ kind: (model as Choice).kind })));
  const classifiers = secondOpinions.map((opinion, i) => {
    const choice = read.secondOpinions[i]!.model as Choice;
    const model = buildModel(choice, { input, classes: data.private.train.classes.length });
    const step = evaluationModelStep({ ...study, evaluation: opinion }, data, model);
    if (step.id === evaluation.id) {
      throw new UserError(`secondOpinions[${i}]: is the evaluation model itself; name another model or training`);
    }
    return { name: kinds[i + 1]!, model, step };
  });
  const realPairs = httpJudge && realPairsStep(httpJudge, data);
  return (attacked, name, seed) => ({
    classifiers,
    ...(httpJudge &&
      realPairs && {
        http: {
          name: httpJudge.name,
          answers: httpJudgeStep({ settings: httpJudge, data, name, seed, attacked }),
          realPairs,
        },
      }),
  });
}

/** A classifier that learns from an attack's reconstructions alone, where the study asks for one. */
function planStudents({ study, read, data, input }: JudgesOptions): Judges["studentOf"] {
  const { student } = study;
  if (student === undefined || read.student === undefined) return () => undefined;
  const model = buildModel(read.student.model as Choice, { input, classes: data.private.train.classes.length });
  return (attacked, name, seed) => ({
    model,
    step: studentStep({ study: { ...study, student }, data, name, seed, student: model, attacked }),
  });
}
