import type { AuditFacts } from "../../study/audit/audit.ts";
import type { LeftOut, TooDear } from "../../study/audit/budget.ts";
import { beatsFloors } from "../../study/floors.ts";
import type { CellResult, StudyResult } from "../../study/result.ts";
import { count, duration, percentWithInterval } from "../numbers.ts";

/** What an audit found: never that nothing leaks, since another attack may find more. */
export type AuditFinding = "leaks" | "no conclusion";

/** An audit's answer in plain words. */
export interface AuditVerdict {
  readonly finding: AuditFinding;
  readonly sentences: readonly string[];
  /** What the answer rests on, and what it does not say. */
  readonly grounds: readonly string[];
}

/** Says what an audit found. */
export function auditVerdict(facts: AuditFacts, { cells, failed }: StudyResult): AuditVerdict {
  const working = cells.filter(beatsFloors).sort((a, b) => b.attackAccuracy.value - a.attackAccuracy.value);
  const chosen = cells.filter(selectionFinds);
  const found = [
    ...working.map(workingSentence),
    ...(working.length > 0 ? [] : chosen.slice(0, 1).map(selectionSentence)),
  ];
  const finding: AuditFinding = found.length > 0 ? "leaks" : "no conclusion";
  return {
    finding,
    sentences: [headline(finding, facts, cells), ...found],
    grounds: [
      ...grounds(facts),
      ...failed.map(({ attack, message }) => `${attack} failed: ${message}`),
      ...limits(facts),
    ],
  };
}

/** Whether the best of random images, by the target's own scores, shows more than random images do. */
const selectionFinds = ({ floors }: CellResult) => floors.initialSelection.low > floors.randomPrior.high;

function headline(finding: AuditFinding, { model }: AuditFacts, cells: readonly CellResult[]): string {
  if (finding === "leaks") return `${model} gives away people of its private images.`;
  const tried = [...new Set(cells.map(({ attack }) => attack))];
  const what =
    tried.length === 0
      ? "no attack has finished"
      : `${tried.join(" and ")} ${tried.length > 1 ? "are" : "is"} not shown to find more than the prior shows without the model`;
  return `No conclusion about ${model}: ${what}. That is no sign of safety, since a stronger attack may find more: give it a larger --budget, longer --settings or more public images.`;
}

function workingSentence({ attack, attackAccuracy, floors }: CellResult): string {
  return `With ${attack}, ${percentWithInterval(attackAccuracy)} of ${count(attackAccuracy.n)} reconstructions are recognised as the person who was attacked. Random images of the same prior reach ${percentWithInterval(floors.randomPrior)}, the best of many by the model's own scores ${percentWithInterval(floors.initialSelection)}.`;
}

function selectionSentence({ floors }: CellResult): string {
  return `No attack rises above choosing among random images, but that alone tells: of those that the model takes for a person, ${percentWithInterval(floors.initialSelection)} are recognised as that person, of random ones ${percentWithInterval(floors.randomPrior)}.`;
}

function grounds({ target, evaluationModel, classes, side, modelSide, access }: AuditFacts): string[] {
  const { naturalAccuracy, better } = target;
  const sized =
    modelSide === undefined || modelSide === side
      ? []
      : [
          `Attacks make images of ${side}×${side} pixels, which are resized to the ${modelSide}×${modelSide} that the model takes.`,
        ];
  return [
    `The model is right about ${percentWithInterval(naturalAccuracy, 1)} of ${count(naturalAccuracy.n)} private images; where it was trained on these very images, that is more than it would reach on new ones.`,
    ...(better === undefined
      ? []
      : [
          `With ${better.option} it would be right about ${percentWithInterval(better.accuracy, 1)}: its images may be read wrongly, and then attacks find less than there is.`,
        ]),
    `The judge, ${evaluationModel.kind}, was trained on private images of its own split and is right about ${percentWithInterval(evaluationModel.naturalAccuracy, 1)} of the others.`,
    classes.statement,
    ...sized,
    `The attacker has ${{ "white-box": "the model itself, with its gradients", scores: "the model's scores", labels: "the class that the model answers with" }[access]}, and the public images.`,
  ];
}

function limits({ tooDear, budget, leftOut }: AuditFacts): string[] {
  const left = tooDearSentence(tooDear, budget);
  return [
    ...(left === undefined ? [] : [left]),
    ...leftOutSentences(leftOut),
    "A measured attack bounds the leak from below. One judge alone overstates an attack; one seed says nothing of others.",
  ];
}

/** Attacks that were not run whatever the budget. */
export function leftOutSentences(leftOut: readonly LeftOut[]): string[] {
  return leftOut.map(({ attack, reason }) => `Left out: ${attack} ${reason}.`);
}

/** Attacks that a budget had no room for; undefined where all were run. */
export function tooDearSentence(tooDear: readonly TooDear[], budget: number | null): string | undefined {
  if (tooDear.length === 0) return undefined;
  const each = tooDear.map(({ attack, seconds }) => `${attack} about ${duration(Math.max(60, seconds))}`).join(", ");
  const within = budget === null ? "" : ` within ${duration(budget)}`;
  return `Not tried${within}; the whole would take on this machine with ${each}.`;
}
