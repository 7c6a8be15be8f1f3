import { type Attack, priorKind } from "../../attacks/attack.ts";
import type { StudyData } from "../../data/dataset.ts";
import type { Model } from "../../models/model.ts";
import type { PriorNetworks } from "../../priors/prior.ts";
import { type Choice, type Chosen, chosenPrior } from "../choose.ts";
import type { PlannedStep } from "../steps/planned.ts";
import { inversionPriorStep, type PlannedPrior, publicPriorStep } from "../steps/prior.ts";
import type { Study } from "../study-schema.ts";
import type { PlannedTarget } from "./targets.ts";

/** What an attack searches in, if not among images themselves. */
export interface Searched {
  readonly networks?: PriorNetworks;
  readonly prior?: PlannedStep;
}

/** A study's priors. */
export interface Priors {
  /** One that the whole study shares. */
  readonly shared: (kind: string) => Required<Searched>;
  /** The one that an attack searches in for a target. */
  readonly of: (target: PlannedTarget, chosen: Chosen<Attack>) => Searched;
}

/** Each kind with the study's settings of it, its defaults where the study names none. */
export function planPriors(study: Study, data: StudyData, { input, classes }: Model): Priors {
  const planned = (kind: string): PlannedPrior => {
    const listed = study.priors.find((p) => p.kind === kind) as Choice | undefined;
    const { member: family, config } = chosenPrior(listed ?? { kind });
    const settings = family.config.parse(config);
    const from = family.startsFrom?.(settings);
    return {
      family,
      settings,
      ...(from !== undefined && { start: publicPriorStep(planned(from), data, study.dataSeed) }),
    };
  };
  const networksOf = ({ family, settings }: PlannedPrior) => family.networks(settings, { image: input, classes });
  const sharedFrom = (prior: PlannedPrior) => ({
    networks: networksOf(prior),
    prior: publicPriorStep(prior, data, study.dataSeed),
  });
  return {
    shared: (kind) => sharedFrom(planned(kind)),
    of({ label, seed, step, defended }, { member, config }) {
      const kind = priorKind(member, config);
      if (kind === null) return {};
      const prior = planned(kind);
      if (!prior.family.perTarget) return sharedFrom(prior);
      const own = inversionPriorStep(prior, { data, defended, label, seed, target: step });
      return { networks: networksOf(prior), prior: own };
    },
  };
}
