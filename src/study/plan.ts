import { type Attack, priorKind, readsPublicWeights } from "../attacks/attack.ts";
import { gmi } from "../attacks/gmi.ts";
import { tooSmall } from "../attacks/least.ts";
import type { StudyData } from "../data/dataset.ts";
import { composeDefenses } from "../defenses/compose.ts";
import type { Defense } from "../defenses/defense.ts";
import { none } from "../defenses/none.ts";
import { UserError } from "../engine/errors.ts";
import type { WeightFile } from "../engine/weight-file.ts";
import { attributeWidth } from "../metrics/attribute-layout.ts";
import type { Model } from "../models/model.ts";
import type { PriorNetworks } from "../priors/prior.ts";
import { buildModel, type Choice, type Chosen, chosenAttack, chosenPrior } from "./choose.ts";
import { distinctLabels, type EntryLabels, labelled, ownName } from "./entry-labels.ts";
import { checkSelection } from "./gate.ts";
import { withoutPaths } from "./model-files.ts";
import { type PlannedTarget, plainTargetStep, planProbe, planTargets, publicStart } from "./plan-targets.ts";
import type { StudyWeights } from "./read-study.ts";
import { attackStep } from "./steps/attack.ts";
import { evaluationStep } from "./steps/evaluation.ts";
import { fisherStep } from "./steps/fisher.ts";
import { importedStep } from "./steps/from-file.ts";
import { httpJudgeStep, realPairsStep } from "./steps/http-judge.ts";
import { importedWeightsStep } from "./steps/imported-model.ts";
import type { Opinions } from "./steps/opinions.ts";
import type { PlannedStep } from "./steps/planned.ts";
import { inversionPriorStep, type PlannedPrior, publicPriorStep } from "./steps/prior.ts";
import { realImagesStep } from "./steps/real-images.ts";
import type { AttackedCell } from "./steps/reconstructions.ts";
import { scoreMapStep } from "./steps/score-map.ts";
import { attributeModelStep, evaluationModelStep, pretrainingStep } from "./steps/shared.ts";
import { studentStep } from "./steps/student.ts";
import { labelSurrogatesStep, surrogatesStep } from "./steps/surrogates.ts";
import type { Study } from "./study-schema.ts";

/** One point of the grid. */
export interface PlannedCell {
  readonly target: PlannedTarget;
  readonly attack: string;
  /** The attack and its keys. */
  readonly chosen: Chosen<Attack>;
  /** Tells attacks apart: the entry's own name, or its kind, with a number where several are alike. */
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

/** Expands a study to its steps, with weights from files where it names some. Nothing is computed. @throws UserError for settings that do not fit the data or each other. */
export function expandStudy(read: Study, data: StudyData, weights: StudyWeights): StudyPlan {
  checkPools(read);
  const { train } = data.private;
  const input = [train.channels, train.height, train.width] as const;
  const model = buildModel(read.model as Choice, { input, classes: train.classes.length });
  const judge = buildModel(read.evaluation.model as Choice, { input, classes: train.classes.length });
  const attributeModel = buildAttributeModel(read, data, input);
  const study = withoutPaths(read);
  const pretraining = planStart({ study, read, data, model, file: weights.start ?? weights.target });
  const known = publicStart(study, weights, pretraining);
  if (known === undefined) refuseWithoutStart(study);
  const evaluation = planJudge(study, data, judge, weights.evaluation);
  const attributes = attributeModel && planAttributes(study, data, attributeModel);
  const realImages = realImagesStep(study, data, judge, evaluation);
  const opinionsOn = planOpinions({ study, read, data, input, evaluation });
  const student = read.student && buildModel(read.student.model as Choice, { input, classes: train.classes.length });

  const plannedPrior = priorPlanner(study, data);
  const rehearse = (seed: number): PlannedStep => {
    const defended = composeDefenses(model, [{ member: none as Defense, config: none.config.parse({}) }]);
    const target = plainTargetStep({
      ...{ study, data, model, file: weights.target },
      ...{ label: none.kind, defended, seed, pretraining },
    });
    const planned = plannedPrior("dcgan");
    const networks = planned.family.networks(planned.settings, { image: input, classes: model.classes });
    const prior = publicPriorStep(planned, data, study.dataSeed);
    const common = { data, model, label: none.kind, seed, target, prior, networks };
    return fisherStep({ ...common, ...REHEARSAL, attack: gmi as unknown as Attack });
  };
  const targets = study.seeds.flatMap((seed) =>
    planTargets({ study, data, model, weights, pretraining, seed, rehearse }),
  );
  const priorOf = (
    target: PlannedTarget,
    { member, config }: Chosen<Attack>,
  ): { prior?: PlannedStep; networks?: PriorNetworks } => {
    const kind = priorKind(member, config);
    if (kind === null) return {};
    const planned = plannedPrior(kind);
    const { family, settings } = planned;
    const networks = family.networks(settings, { image: input, classes: model.classes });
    if (!family.perTarget) return { networks, prior: publicPriorStep(planned, data, study.dataSeed) };
    const { label, seed, step, defended } = target;
    return { networks, prior: inversionPriorStep(planned, { data, defended, label, seed, target: step }) };
  };
  const attackLabels = distinctLabels(
    "attacks",
    study.attacks.map((entry) => ({ kind: entry.kind, name: ownName(entry) })),
  );
  const cells = targets.flatMap((target) =>
    study.attacks.map((choice, i): PlannedCell => {
      const chosen = chosenAttack(choice as Choice);
      const { member: attack, config } = chosen;
      const attackLabel = attackLabels[i]!;
      const { label, seed, step, defended } = target;
      const name = `${attackLabel} on ${label}`;
      const searched = priorOf(target, chosen);
      const styles = attack.space?.(config);
      const common = { study, data, defended, label, seed };
      const wanted = attack.surrogates?.(config);
      const mapped = attack.scoreMap?.(config);
      const embedding = mapped && known && { model, step: known };
      const fromLabels = attack.labelSurrogates?.(config);
      const learnt = { data, label, seed, target: step };
      const { prior, networks } = searched;
      const surrogates = wanted
        ? surrogatesStep({ ...learnt, settings: wanted, model: defended.model })
        : embedding
          ? scoreMapStep({ ...learnt, settings: mapped, defended, embedding })
          : fromLabels && prior && networks
            ? labelSurrogatesStep({ ...learnt, settings: fromLabels, defended, prior, networks })
            : undefined;
      const attacked = attackStep({
        ...common,
        ...searched,
        ...(surrogates && { surrogates }),
        ...(embedding && { embedding }),
        ...(attack.publicWeights && known && { publicWeights: known }),
        name,
        attack,
        config,
        target: step,
      });
      const outcome = { model: defended.model, ...searched, ...(styles && { styles }), attack: attacked };
      return {
        target,
        attack: attack.kind,
        chosen,
        attackLabel,
        seed,
        ...searched,
        ...(surrogates && { surrogates }),
        attackStep: attacked,
        evaluation: evaluationStep({
          ...common,
          ...(searched.networks && { networks: searched.networks }),
          ...(styles && { styles }),
          name,
          evaluationModel: judge,
          attributeModel: attributes?.model,
          opinions: opinionsOn(outcome, name, seed),
          student: student && planStudent(study, data, student, outcome, name, seed),
          steps: {
            attack: attacked,
            target: step,
            ...(searched.prior && { prior: searched.prior }),
            evaluation,
            realImages,
            ...(attributes && { attributes: attributes.step }),
          },
        }),
      };
    }),
  );
  if (study.gate) {
    checkSelection(study.gate, cells.map(labelsOf));
  }
  const linearProbe = study.linearProbe ? planProbe(study, data, model, pretraining) : undefined;
  const ends = [...(linearProbe ? [linearProbe] : []), ...cells.map((c) => c.evaluation)];
  return { model, pretraining, linearProbe, targets, cells, steps: inOrder(ends) };
}

/**
 * How `freeze: auto` looks for the boundary: the undefended target under GMI on the public prior, whatever a study's own attacks are,
 * so that a target stays the same when an attack is added.
 */
const REHEARSAL = {
  config: gmi.config.parse({ iterations: 300 }),
  settings: { form: "per-example", labels: "empirical", identities: 20, points: 10 },
} as const;

/** The evaluation model from the study's file, or trained on the private identities. */
function planJudge(study: Study, data: StudyData, model: Model, file: WeightFile | undefined): PlannedStep {
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

/** What is chosen from must hold as many as are chosen; better said before anything is trained. */
function checkPools({ reconstructions: { perIdentity, pool }, attacks }: Study): void {
  if (pool < perIdentity)
    throw new UserError(`reconstructions.pool: ${pool} latents are too few to choose ${perIdentity} for each identity`);
  for (const [i, choice] of attacks.entries()) {
    const { member, config } = chosenAttack(choice as Choice);
    const [short] = tooSmall(config, member.least?.(config, perIdentity) ?? {});
    if (short === undefined) continue;
    const { path, value, least } = short;
    throw new UserError(
      `${[`attacks[${i}]`, ...path].join(".")}: ${value} are too few to choose ${least} of for each identity; at least ${least} are wanted`,
    );
  }
}

/** @throws UserError for an attack that reads public weights where none are known. */
function refuseWithoutStart({ attacks }: Study): void {
  for (const [i, choice] of attacks.entries()) {
    const { kind } = choice;
    if (!readsPublicWeights(chosenAttack(choice as Choice).member)) continue;
    throw new UserError(
      `attacks[${i}]: ${kind} reads the public weights that the target started from, and of a target that is brought they are not known; ` +
        "name them as pretraining.weights, and the target's own as target.weights, or leave this attack out",
    );
  }
}

function buildAttributeModel(study: Study, data: StudyData, input: Model["input"]): Model | undefined {
  if (study.attributes === undefined) return undefined;
  if (data.attributes === undefined) {
    throw new UserError(`attributes: data of kind ${study.data.kind} has no known attributes, leave this key out`);
  }
  return buildModel(study.attributes.model as Choice, { input, classes: attributeWidth(data.attributes.specs) });
}

function planAttributes(study: Study, data: StudyData, model: Model) {
  return { model, step: attributeModelStep({ ...study, attributes: study.attributes! }, data.attributes!, model) };
}

/** Where the target's weights start: brought by the model itself or by the study's file, or trained on the pre-training set. */
function planStart(options: {
  readonly study: Study;
  readonly read: Study;
  readonly data: StudyData;
  readonly model: Model;
  readonly file: WeightFile | undefined;
}): PlannedStep {
  const { study, read, data, model, file } = options;
  if (model.imported !== undefined) {
    if (file !== undefined) {
      const key = study.target === undefined ? "pretraining.weights" : "target";
      throw new UserError(`${key}: a model of kind onnx brings its own weights, leave this key out`);
    }
    return importedWeightsStep(study, model, model.imported);
  }
  const { train } = data.pretraining;
  const classes = train.classes.length;
  const starter = buildModel(read.model as Choice, { input: model.input, classes });
  if (file !== undefined) {
    const { model: choice, dataSeed: seed } = study;
    return importedStep({ name: "start weights", kind: "pretraining", model: starter, choice, file, seed });
  }
  if (classes < 2) {
    throw new UserError(
      `${train.name}: its images are of one class, so no start weights can be trained on them; ` +
        "name labelled images as data.pretraining, or a file of weights as pretraining.weights",
    );
  }
  return pretrainingStep(study, data, starter);
}

/** Who else judges reconstructions: steps that all cells share, and for each attack what the HTTP judge says. */
function planOpinions({
  study,
  read,
  data,
  input,
  evaluation,
}: {
  readonly study: Study;
  /** The same study, with the paths of model files. */
  readonly read: Study;
  readonly data: StudyData;
  readonly input: readonly [number, number, number];
  readonly evaluation: PlannedStep;
}): (outcome: AttackedCell, name: string, seed: number) => Opinions {
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

function planStudent(
  study: Study,
  data: StudyData,
  student: Model,
  attacked: AttackedCell,
  name: string,
  seed: number,
): { model: Model; step: PlannedStep } | undefined {
  if (study.student === undefined) return undefined;
  const step = studentStep({ study: { ...study, student: study.student }, data, name, seed, student, attacked });
  return { model: student, step };
}

/** How results name the cell's defense and attack. */
export function labelsOf({ target, attack, attackLabel }: PlannedCell): EntryLabels {
  return { defense: target.defense, attack, ...target.named, ...(attackLabel !== attack && { attackLabel }) };
}

/** The steps that these rest on and they themselves, each once, needs before users. */
export function inOrder(ends: readonly PlannedStep[]): PlannedStep[] {
  const steps = new Map<string, PlannedStep>();
  const visit = (step: PlannedStep) => {
    for (const need of step.needs) visit(need);
    if (!steps.has(step.id)) steps.set(step.id, step);
  };
  for (const end of ends) visit(end);
  return [...steps.values()];
}
