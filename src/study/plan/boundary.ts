import type { Attack } from "../../attacks/attack.ts";
import { gmi } from "../../attacks/gmi.ts";
import type { StudyData } from "../../data/dataset.ts";
import { composeDefenses } from "../../defenses/compose.ts";
import type { Defense } from "../../defenses/defense.ts";
import { none } from "../../defenses/none.ts";
import type { WeightFile } from "../../engine/weight-file.ts";
import type { Model } from "../../models/model.ts";
import { fisherStep } from "../steps/fisher.ts";
import type { PlannedStep } from "../steps/planned.ts";
import type { Study } from "../study-schema.ts";
import type { Priors } from "./priors.ts";
import { plainTargetStep } from "./targets.ts";

/**
 * How `freeze: auto` looks for the boundary: the undefended target under GMI on the public prior, whatever a study's own attacks are,
 * so that a target stays the same when an attack is added.
 */
const REHEARSAL = {
  config: gmi.config.parse({ iterations: 300 }),
  settings: { form: "per-example", labels: "empirical", identities: 20, points: 10 },
} as const;

/** The step that chooses the boundary of a seed's targets. */
export function planBoundary(options: {
  readonly study: Study;
  readonly data: StudyData;
  readonly model: Model;
  /** The target's own weights, where they are brought. */
  readonly file: WeightFile | undefined;
  readonly pretraining: PlannedStep;
  readonly priors: Priors;
  readonly seed: number;
}): PlannedStep {
  const { study, data, model, file, pretraining, priors, seed } = options;
  const defended = composeDefenses(model, [{ member: none as Defense, config: none.config.parse({}) }]);
  const target = plainTargetStep({ study, data, model, file, label: none.kind, defended, seed, pretraining });
  const common = { data, model, label: none.kind, seed, target, ...priors.shared("dcgan") };
  return fisherStep({ ...common, ...REHEARSAL, attack: gmi as unknown as Attack });
}
