import type { StudyData } from "../../data/dataset.ts";
import { AUTO } from "../../defenses/boundary.ts";
import { checkSettings, composeDefenses, type Defended, withBoundary } from "../../defenses/compose.ts";
import type { Defense } from "../../defenses/defense.ts";
import { tlDmi } from "../../defenses/tl-dmi.ts";
import type { WeightFile } from "../../engine/weight-file.ts";
import type { Model } from "../../models/model.ts";
import { type Choice, chosenDefenses } from "../choose.ts";
import { distinctLabels, type EntryLabels, ownName } from "../entry-labels.ts";
import type { StudyWeights } from "../read-study.ts";
import { importedStep } from "../steps/from-file.ts";
import { checkImported, importedTargetStep, isTargetItself, refuseFrozen } from "../steps/imported-model.ts";
import type { PlannedStep } from "../steps/planned.ts";
import { type OpenBoundary, targetStep } from "../steps/target.ts";
import type { Study } from "../study-schema.ts";

/** A target to be trained: one defense, one seed. */
export interface PlannedTarget {
  /** `tl-dmi`, `tl-dmi + label-smoothing` */
  readonly defense: string;
  /** Tells defenses apart: the entry's own name, or `tl-dmi layer2.0`. */
  readonly label: string;
  /** The label, where it says more than kind and boundary do. */
  readonly named: Pick<EntryLabels, "defenseLabel">;
  readonly defended: Defended;
  /** Where the boundary is left to Fisher information: the step that chooses it, and the defenses with what it chose. */
  readonly open?: OpenBoundary;
  readonly seed: number;
  readonly step: PlannedStep;
}

/** A target as its defenses train it, or as it was brought. */
export function plainTargetStep(
  options: Parameters<typeof targetStep>[0] & { readonly model: Model; readonly file: WeightFile | undefined },
): PlannedStep {
  const { study, data, model, file, defended, pretraining } = options;
  if (!isTargetItself(study, defended)) return targetStep(options);
  if (file === undefined) return importedTargetStep(data, model, pretraining);
  const { model: choice, dataSeed: seed } = study;
  return importedStep({ name: "target", kind: "imported-target", model, choice, file, test: data.private.test, seed });
}

export function planTargets(options: {
  readonly study: Study;
  readonly data: StudyData;
  readonly model: Model;
  readonly weights: StudyWeights;
  readonly pretraining: PlannedStep;
  readonly seed: number;
  /** Plans the step that chooses a boundary for that seed. */
  readonly rehearse: (seed: number) => PlannedStep;
}): PlannedTarget[] {
  const { study, data, model, weights, pretraining, seed, rehearse } = options;
  const all = study.defenses.map((choice) => {
    const chosen = chosenDefenses(choice as Choice);
    const composed = composeDefenses(model, chosen);
    checkSettings(composed.recipe, study.training, data.private.train.size);
    return { chosen, defended: composed };
  });
  const composed = all.map(({ defended }) => defended);
  if (model.imported !== undefined) checkImported(study, model.imported, data.private.train.classes, composed);
  if (weights.target !== undefined && weights.start === undefined)
    refuseFrozen(
      weights.target.path,
      composed,
      "name weights that were trained on other images as pretraining.weights",
    );
  const entries = all.map(({ defended }, i) => ({ kind: defended.label, name: ownName(study.defenses[i]!) }));
  const labels = distinctLabels("defenses", entries);
  return all.map(({ chosen, defended }, i): PlannedTarget => {
    const label = labels[i]!;
    const open = defended.recipe.boundary === AUTO && {
      step: rehearse(seed),
      at: (boundary: string) => composeDefenses(model, withBoundary(chosen, boundary)),
    };
    const rest = open ? { open } : {};
    const step = plainTargetStep({
      ...{ study, data, model, file: weights.target },
      ...{ label, defended, seed, pretraining, ...rest },
    });
    const named = label === defended.label ? {} : { defenseLabel: label };
    return { defense: defended.name, label, named, defended, seed, step, ...rest };
  });
}

/** Only the head is trained: how far the pre-trained features alone carry. */
export function planProbe(study: Study, data: StudyData, model: Model, pretraining: PlannedStep): PlannedStep {
  const config = tlDmi.config.parse({ freeze: model.stages.at(-1)!.name });
  const defended = composeDefenses(model, [{ member: tlDmi as Defense, config }]);
  return targetStep({ study, data, label: "linear probe", defended, seed: study.seeds[0]!, pretraining });
}
