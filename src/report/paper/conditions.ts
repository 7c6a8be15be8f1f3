import { beatsFloors } from "../../study/floors.ts";
import type { CellResult } from "../../study/result.ts";
import { type Condition, conditionsOf, isControl } from "../conditions.ts";
import { bounded, type Difference } from "../difference.ts";
import { percentWithInterval } from "../numbers.ts";
import type { Decision, Question } from "./claim.ts";
import type { EvidenceCell, StudyEvidence } from "./evidence.ts";

/** The paper's own defense, alone. */
export const TL_DMI = "tl-dmi";

/** The study's attacks, in its order, that have cells for which `wanted` holds. */
export function attacksOf(study: StudyEvidence, wanted: (cell: EvidenceCell) => boolean = () => true): string[] {
  return [...new Set(study.cells.filter(wanted).map(({ attack }) => attack))];
}

/** Labels of the targets with that defense, in the study's order. */
export function labelsWith(study: StudyEvidence, defense: string): string[] {
  return [...new Set(study.cells.filter((cell) => cell.defense === defense).map(({ label }) => label))];
}

/** Cells of an attack on targets with one of these defenses. */
export function cellsOf(study: StudyEvidence, attack: string, defenses: readonly string[]): EvidenceCell[] {
  return study.cells.filter((cell) => cell.attack === attack && defenses.includes(cell.defense));
}

/** The results of cells that have one. */
export const resultsOf = (cells: readonly EvidenceCell[]): readonly CellResult[] =>
  cells.flatMap(({ result }) => result ?? []);

/** Cells with their seeds put together, all of one attack; every cell must have its result. */
export const conditionsIn = (cells: readonly EvidenceCell[]): readonly Condition[] => conditionsOf(resultsOf(cells));

/** Cells of an attack on the control, which is a target without a defense from pre-trained weights; of several so, on the first. */
export function controlsOf(study: StudyEvidence, attack: string): EvidenceCell[] {
  const cells = study.cells.filter((cell) => cell.attack === attack && isControl(cell));
  return cells.filter(({ label }) => label === cells[0]?.label);
}

/** The control's cells of an attack, together; undefined where the study has none. */
export function undefendedIn(study: StudyEvidence, attack: string): Condition | undefined {
  return conditionsIn(controlsOf(study, attack))[0];
}

/** Goes on only where the attack finds more in the undefended target than its prior shows without a search. */
export function whereAttackWorks(
  undefended: Condition | undefined,
  decide: (undefended: Condition) => Decision,
): Decision {
  if (undefended === undefined)
    return {
      verdict: "not testable here",
      why: "the study has no undefended target that starts from pre-trained weights",
      figures: "",
    };
  if (beatsFloors(undefended)) return decide(undefended);
  const { attackAccuracy, floors } = undefended;
  return {
    verdict: "not testable here",
    why: "the attack is not shown to rise above both floors on the undefended target, so it proves nothing of a defense",
    figures: `undefended ${percentWithInterval(attackAccuracy, 1)}; floors ${percentWithInterval(floors.randomPrior, 1)}, ${percentWithInterval(floors.initialSelection, 1)}`,
  };
}

/** A target and the undefended one under one attack: what a `Question` compares. */
export interface Compared {
  readonly undefended: readonly EvidenceCell[];
  readonly defended: readonly EvidenceCell[];
}

/**
 * A question that holds a target of the study against its undefended one, where the attack works on that.
 * @param further what the decision rests on beside these cells
 */
export function againstUndefended(
  study: StudyEvidence,
  attack: string,
  label: string,
  decide: (cells: Compared) => Decision,
  further: (cells: readonly EvidenceCell[]) => readonly EvidenceCell[] = () => [],
): Question {
  const undefended = controlsOf(study, attack);
  const defended = study.cells.filter((cell) => cell.attack === attack && cell.label === label);
  return {
    studies: [study.file],
    about: `${study.model}, ${attack}: ${label}`,
    needs: [...new Set([...undefended, ...defended, ...further([...undefended, ...defended])])],
    decide: () => whereAttackWorks(undefendedIn(study, attack), () => decide({ undefended, defended })),
  };
}

/** The answer where a rate has no interval: no two people have it in all cells. */
export const UNBOUNDED: Pick<Decision, "verdict" | "why"> = {
  verdict: "not testable here",
  why: "fewer than two people have all rates that it takes, so there is no interval",
};

/** What a difference says of a claim that something is less: `less` and `more` are why, where its interval leaves out zero. */
export function whereLess(difference: Difference, less: string, more: string): Pick<Decision, "verdict" | "why"> {
  if (!bounded(difference)) return UNBOUNDED;
  const { low, high } = difference;
  if (high < 0) return { verdict: "holds here", why: less };
  if (low > 0) return { verdict: "does not hold here", why: more };
  return { verdict: "not shown here", why: "the interval of the difference holds zero" };
}
