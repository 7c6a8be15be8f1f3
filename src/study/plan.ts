import type { StudyData } from "../data/dataset.ts";
import type { Model } from "../models/model.ts";
import { buildModel, type Choice } from "./choose.ts";
import { checkSelection } from "./gate.ts";
import { withoutPaths } from "./model-files.ts";
import { planBoundary } from "./plan/boundary.ts";
import { labelsOf, type PlannedCell, planCells } from "./plan/cells.ts";
import { inOrder } from "./plan/in-order.ts";
import { planJudges } from "./plan/judges.ts";
import { checkPools } from "./plan/pools.ts";
import { planPriors } from "./plan/priors.ts";
import { planStart, publicStart, refuseWithoutStart } from "./plan/start.ts";
import { type PlannedTarget, planProbe, planTargets } from "./plan/targets.ts";
import type { StudyWeights } from "./read-study.ts";
import type { PlannedStep } from "./steps/planned.ts";
import type { Study } from "./study-schema.ts";

/** All steps of a study. */
export interface StudyPlan {
  readonly model: Model;
  readonly pretraining: PlannedStep;
  readonly linearProbe: PlannedStep | undefined;
  readonly targets: readonly PlannedTarget[];
  readonly cells: readonly PlannedCell[];
  /** Every step once, needs before users. */
  readonly steps: readonly PlannedStep[];
}

/** Expands a study to its steps, with weights from files where it names some. Nothing is computed. @throws UserError for settings that do not fit the data or each other. */
export function expandStudy(read: Study, data: StudyData, weights: StudyWeights): StudyPlan {
  checkPools(read);
  const { train } = data.private;
  const input = [train.channels, train.height, train.width] as const;
  const model = buildModel(read.model as Choice, { input, classes: train.classes.length });
  const study = withoutPaths(read);
  const pretraining = planStart({ study, read, data, model, file: weights.start ?? weights.target });
  const known = publicStart(study, weights, pretraining);
  if (known === undefined) refuseWithoutStart(study);
  const judges = planJudges({ study, read, data, input, file: weights.evaluation });
  const priors = planPriors(study, data, model);
  const common = { study, data, model, pretraining };
  const rehearse = (seed: number) => planBoundary({ ...common, file: weights.target, priors, seed });
  const targets = study.seeds.flatMap((seed) => planTargets({ ...common, weights, seed, rehearse }));
  const cells = planCells(targets, { study, data, model, known, priors, judges });
  if (study.gate) checkSelection(study.gate, cells.map(labelsOf));
  const linearProbe = study.linearProbe ? planProbe(study, data, model, pretraining) : undefined;
  const ends = [...(linearProbe ? [linearProbe] : []), ...cells.map((c) => c.evaluation)];
  return { model, pretraining, linearProbe, targets, cells, steps: inOrder(ends) };
}
