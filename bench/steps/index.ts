import type { StateDict } from "../../src/engine/store.ts";
import type { AttackSpec, ComputeSpec, FisherSpec, GanSpec, PlgGanSpec, TrainSpec } from "../case.ts";
import { gmiStep, kedmiStep, plgMiStep } from "./attack.ts";
import { fisherStep } from "./fisher.ts";
import { ganStep } from "./gan.ts";
import { plgGanStep } from "./plg-gan.ts";
import type { Step } from "./step.ts";
import { trainStep } from "./train.ts";

/** The kinds of case that are one step of a graph. */
export type StepSpec = TrainSpec | FisherSpec | AttackSpec | GanSpec | PlgGanSpec;

export function isStep(spec: ComputeSpec): spec is StepSpec {
  return spec.kind !== "evaluate" && spec.kind !== "load" && spec.kind !== "epoch";
}

/** The step of a case, from what `prepare` drew for it. */
export function buildStep(spec: StepSpec, state: StateDict): Step {
  switch (spec.kind) {
    case "train":
      return trainStep(spec, state);
    case "gmi":
      return gmiStep(spec, state);
    case "kedmi":
      return kedmiStep(spec, state);
    case "plg-mi":
      return plgMiStep(spec, state);
    case "fisher":
      return fisherStep(spec, state);
    case "critic":
    case "generator":
      return ganStep(spec, state);
    case "plg-critic":
    case "plg-generator":
      return plgGanStep(spec, state);
  }
}
