import type { Attack } from "../attacks/attack.ts";
import type { StudyData } from "../data/dataset.ts";
import { trainableParameters } from "../defenses/boundary.ts";
import { checkSettings, composeDefenses, type Defended } from "../defenses/compose.ts";
import type { Defense } from "../defenses/defense.ts";
import { tlDmi } from "../defenses/tl-dmi.ts";
import { UserError } from "../engine/errors.ts";
import { attributeWidth } from "../metrics/attribute-layout.ts";
import { countWeights } from "../models/bind.ts";
import { type Model, splitAt } from "../models/model.ts";
import type { PriorNetworks } from "../priors/prior.ts";
import { buildModel, type Choice, chosenAttack, chosenDefenses, chosenPrior } from "./choose.ts";
import { attackStep } from "./steps/attack.ts";
import { evaluationStep } from "./steps/evaluation.ts";
import type { PlannedStep } from "./steps/planned.ts";
import { inversionPriorStep, type PlannedPrior, publicPriorStep } from "./steps/prior.ts";
import { attributeModelStep, evaluationModelStep, pretrainingStep } from "./steps/shared.ts";
import { surrogatesStep } from "./steps/surrogates.ts";
import { targetStep } from "./steps/target.ts";
import type { Study } from "./study-schema.ts";

/** A target to be trained: one defense, one seed. */
export interface PlannedTarget {
  /** `tl-dmi`, `tl-dmi + label-smoothing` */
  readonly defense: string;
  /** Tells defenses of one kind apart: `tl-dmi layer2.0`. */
  readonly label: string;
  readonly defended: Defended;
  readonly seed: number;
  readonly trainableParameters: number;
  readonly frozenParameters: number;
  readonly step: PlannedStep;
}

/** One point of the grid. */
export interface PlannedCell {
  readonly target: PlannedTarget;
  readonly attack: string;
  /** Tells attacks of one kind apart. */
  readonly attackLabel: string;
  readonly seed: number;
  /** What the attack searches in; absent where it searches among images themselves. */
  readonly networks?: PriorNetworks;
  readonly prior?: PlannedStep;
  /** What the attack wants to be learnt of the target beforehand. */
  readonly surrogates?: PlannedStep;
  readonly attackStep: PlannedStep;
  readonly evaluation: PlannedStep;
}

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

/** Expands a study to its steps. Nothing is computed. @throws UserError for settings that do not fit the data or each other. */
export function expandStudy(study: Study, data: StudyData): StudyPlan {
  checkPools(study);
  const { train } = data.private;
  const input = [train.channels, train.height, train.width] as const;
  const model = buildModel(study.model as Choice, { input, classes: train.classes.length });
  const starter = buildModel(study.model as Choice, { input, classes: data.pretraining.train.classes.length });
  const judge = buildModel(study.evaluation.model as Choice, { input, classes: train.classes.length });
  const pretraining = pretrainingStep(study, data, starter);
  const evaluation = evaluationModelStep(study, data, judge);
  const attributes = planAttributes(study, data, input);

  const plannedPrior = priorPlanner(study, data);
  const targets = study.seeds.flatMap((seed) => planTargets(study, data, model, pretraining, seed));
  const priorOf = (target: PlannedTarget, attack: Attack): { prior?: PlannedStep; networks?: PriorNetworks } => {
    if (attack.prior === null) return {};
    const planned = plannedPrior(attack.prior);
    const { family, settings } = planned;
    const networks = family.networks(settings, { image: input, classes: model.classes });
    if (!family.perTarget) return { networks, prior: publicPriorStep(planned, data, study.dataSeed) };
    const { label, seed, step, defended } = target;
    return { networks, prior: inversionPriorStep(planned, { data, model: defended.model, label, seed, target: step }) };
  };
  const attackLabels = labelled(study.attacks.map((a) => a.kind));
  const cells = targets.flatMap((target) =>
    study.attacks.map((choice, i): PlannedCell => {
      const { member: attack, config } = chosenAttack(choice as Choice);
      const attackLabel = attackLabels[i]!;
      const { label, seed, step, defended } = target;
      const searched = priorOf(target, attack);
      const styles = attack.space?.(config);
      const common = { study, model: defended.model, label, seed };
      const wanted = attack.surrogates?.(config);
      const surrogates =
        wanted && surrogatesStep({ settings: wanted, data, model: defended.model, label, seed, target: step });
      const attacked = attackStep({
        ...common,
        ...searched,
        ...(surrogates && { surrogates }),
        attack,
        config,
        target: step,
      });
      return {
        target,
        attack: attack.kind,
        attackLabel,
        seed,
        ...searched,
        ...(surrogates && { surrogates }),
        attackStep: attacked,
        evaluation: evaluationStep({
          ...common,
          ...(searched.networks && { networks: searched.networks }),
          ...(styles && { styles }),
          data,
          name: `${attackLabel} on ${label}`,
          evaluationModel: judge,
          attributeModel: attributes?.model,
          steps: {
            attack: attacked,
            target: step,
            ...(searched.prior && { prior: searched.prior }),
            evaluation,
            ...(attributes && { attributes: attributes.step }),
          },
        }),
      };
    }),
  );
  const linearProbe = study.linearProbe ? planProbe(study, data, model, pretraining) : undefined;
  const ends = [...(linearProbe ? [linearProbe] : []), ...cells.map((c) => c.evaluation)];
  return { model, pretraining, linearProbe, targets, cells, steps: inOrder(ends) };
}

/** Looks up a kind of prior with the study's settings of it, and plans what its training starts from. */
function priorPlanner(study: Study, data: StudyData): (kind: string) => PlannedPrior {
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
  return planned;
}

/** A pool must hold as many latents as are chosen from it; better said before anything is trained. */
function checkPools({ reconstructions: { perIdentity, pool }, attacks }: Study): void {
  const pools = [
    { where: "reconstructions", pool },
    ...attacks.map((a, i) => ({ where: `attacks[${i}]`, pool: "pool" in a ? a.pool : 0 })),
  ];
  for (const { where, pool: size } of pools) {
    if (size > 0 && size < perIdentity) {
      throw new UserError(`${where}.pool: ${size} latents are too few to choose ${perIdentity} for each identity`);
    }
  }
}

function planAttributes(study: Study, data: StudyData, input: readonly [number, number, number]) {
  if (study.attributes === undefined) return undefined;
  if (data.attributes === undefined) {
    throw new UserError(`attributes: data of kind ${study.data.kind} has no known attributes, leave this key out`);
  }
  const model = buildModel(study.attributes.model as Choice, { input, classes: attributeWidth(data.attributes.specs) });
  return { model, step: attributeModelStep({ ...study, attributes: study.attributes }, data.attributes, model) };
}

function planTargets(
  study: Study,
  data: StudyData,
  model: Model,
  pretraining: PlannedStep,
  seed: number,
): PlannedTarget[] {
  const all = study.defenses.map((choice) => {
    const composed = composeDefenses(model, chosenDefenses(choice as Choice));
    checkSettings(composed.recipe, study.training);
    return composed;
  });
  const labels = labelled(all.map((defended) => defended.label));
  return all.map((defended, i) => {
    const label = labels[i]!;
    const { boundary } = defended.recipe;
    const { frozen } = splitAt(defended.model, boundary);
    return {
      defense: defended.name,
      label,
      defended,
      seed,
      trainableParameters: trainableParameters(defended.model, boundary),
      frozenParameters: countWeights(frozen.weights),
      step: targetStep({ study, data, label, defended, seed, pretraining }),
    };
  });
}

/** Only the head is trained: how far the pre-trained features alone carry. */
function planProbe(study: Study, data: StudyData, model: Model, pretraining: PlannedStep): PlannedStep {
  const config = tlDmi.config.parse({ freeze: model.stages.at(-1)!.name });
  const defended = composeDefenses(model, [{ member: tlDmi as Defense, config }]);
  return targetStep({ study, data, label: "linear probe", defended, seed: study.seeds[0]!, pretraining });
}

/** Repeated labels get numbers: kedmi, kedmi 2. */
function labelled(names: readonly string[]): string[] {
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((n) => n === name).length;
    return before === 0 ? name : `${name} ${before + 1}`;
  });
}

function inOrder(ends: readonly PlannedStep[]): PlannedStep[] {
  const steps = new Map<string, PlannedStep>();
  const visit = (step: PlannedStep) => {
    for (const need of step.needs) visit(need);
    if (!steps.has(step.id)) steps.set(step.id, step);
  };
  for (const end of ends) visit(end);
  return [...steps.values()];
}
