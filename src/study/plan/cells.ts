import type { Attack } from "../../attacks/attack.ts";
import type { StudyData } from "../../data/dataset.ts";
import type { Model } from "../../models/model.ts";
import { type Choice, type Chosen, chosenAttack } from "../choose.ts";
import { distinctLabels, type EntryLabels, ownName } from "../entry-labels.ts";
import { attackStep } from "../steps/attack.ts";
import { evaluationStep } from "../steps/evaluation.ts";
import type { PlannedStep } from "../steps/planned.ts";
import { scoreMapStep } from "../steps/score-map.ts";
import { labelSurrogatesStep, surrogatesStep } from "../steps/surrogates.ts";
import type { Study } from "../study-schema.ts";
import type { Judges } from "./judges.ts";
import type { Priors, Searched } from "./priors.ts";
import type { PlannedTarget } from "./targets.ts";

/** One point of the grid. */
export interface PlannedCell extends Searched {
  readonly target: PlannedTarget;
  readonly attack: string;
  /** The attack and its keys. */
  readonly chosen: Chosen<Attack>;
  /** Tells attacks apart: the entry's own name, or its kind, with a number where several are alike. */
  readonly attackLabel: string;
  readonly seed: number;
  /** What the attack wants to be learnt of the target beforehand. */
  readonly surrogates?: PlannedStep;
  readonly attackStep: PlannedStep;
  readonly evaluation: PlannedStep;
}

/** What all cells of a study have in common. */
interface CellOptions {
  readonly study: Study;
  readonly data: StudyData;
  readonly model: Model;
  /** The public weights that attackers may have. */
  readonly known: PlannedStep | undefined;
  readonly priors: Priors;
  readonly judges: Judges;
}

/** Every target under every attack. */
export function planCells(targets: readonly PlannedTarget[], options: CellOptions): PlannedCell[] {
  const { attacks } = options.study;
  const labels = distinctLabels(
    "attacks",
    attacks.map((entry) => ({ kind: entry.kind, name: ownName(entry) })),
  );
  return targets.flatMap((target) =>
    attacks.map((choice, i) => planCell(target, chosenAttack(choice as Choice), labels[i]!, options)),
  );
}

function planCell(
  target: PlannedTarget,
  chosen: Chosen<Attack>,
  attackLabel: string,
  options: CellOptions,
): PlannedCell {
  const { study, data, known, priors, judges } = options;
  const { member: attack, config } = chosen;
  const { label, seed, step, defended } = target;
  const name = `${attackLabel} on ${label}`;
  const searched = priors.of(target, chosen);
  const styles = attack.space?.(config);
  const learnt = planLearnt(target, chosen, searched, options);
  const common = { study, data, defended, label, seed, name };
  const attacked = attackStep({
    ...common,
    ...searched,
    ...learnt,
    ...(attack.publicWeights && known && { publicWeights: known }),
    attack,
    config,
    target: step,
  });
  const outcome = { model: defended.model, ...searched, ...(styles && { styles }), attack: attacked };
  const { evaluationModel, evaluation, realImages, attributes } = judges;
  return {
    target,
    attack: attack.kind,
    chosen,
    attackLabel,
    seed,
    ...searched,
    ...(learnt.surrogates && { surrogates: learnt.surrogates }),
    attackStep: attacked,
    evaluation: evaluationStep({
      ...common,
      ...(searched.networks && { networks: searched.networks }),
      ...(styles && { styles }),
      evaluationModel,
      attributeModel: attributes?.model,
      opinions: judges.opinionsOn(outcome, name, seed),
      student: judges.studentOf(outcome, name, seed),
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
}

/** What an attack wants to be learnt of the target beforehand. */
function planLearnt(
  { label, seed, step, defended }: PlannedTarget,
  { member: attack, config }: Chosen<Attack>,
  { prior, networks }: Searched,
  { data, model, known }: CellOptions,
): Pick<Parameters<typeof attackStep>[0], "surrogates" | "embedding"> {
  const common = { data, label, seed, target: step };
  const students = attack.surrogates?.(config);
  if (students) return { surrogates: surrogatesStep({ ...common, settings: students, model: defended.model }) };
  const map = attack.scoreMap?.(config);
  if (map && known) {
    const embedding = { model, step: known };
    return { embedding, surrogates: scoreMapStep({ ...common, settings: map, defended, embedding }) };
  }
  const copies = attack.labelSurrogates?.(config);
  if (copies && prior && networks)
    return { surrogates: labelSurrogatesStep({ ...common, settings: copies, defended, prior, networks }) };
  return {};
}

/** How results name the cell's defense and attack. */
export function labelsOf({ target, attack, attackLabel }: PlannedCell): EntryLabels {
  return { defense: target.defense, attack, ...target.named, ...(attackLabel !== attack && { attackLabel }) };
}
