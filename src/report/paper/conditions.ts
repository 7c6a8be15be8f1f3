import { beatsFloors } from "../../study/floors.ts";
import type { CellResult } from "../../study/result.ts";
import { type Condition, conditionsOf, UNDEFENDED } from "../conditions.ts";
import type { Difference } from "../difference.ts";
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

/** The undefended target's cells of an attack, together. */
export function undefendedIn(study: StudyEvidence, attack: string): Condition {
  return conditionsIn(cellsOf(study, attack, [UNDEFENDED]))[0]!;
}

/** Goes on only where the attack finds more in the undefended target than its prior shows without a search. */
export function whereAttackWorks(undefended: Condition, decide: () => Decision): Decision {
  if (beatsFloors(undefended)) return decide();
  const { attackAccuracy, floors } = undefended;
  return {
    verdict: "not testable here",
    why: "the attack does not rise above both floors on the undefended target, so it proves nothing of a defense",
    figures: `undefended ${percentWithInterval(attackAccuracy, 1)}; floors ${percentWithInterval(floors.randomPrior, 1)}, ${percentWithInterval(floors.initialSelection, 1)}`,
  };
}

/** A target and the undefended one under one attack: what a `Question` compares. */
interface Compared {
  readonly undefended: readonly EvidenceCell[];
  readonly defended: readonly EvidenceCell[];
}

/** A question that holds a target of the study against its undefended one, where the attack works on that. */
export function againstUndefended(
  study: StudyEvidence,
  attack: string,
  label: string,
  decide: (cells: Compared) => Decision,
): Question {
  const undefended = cellsOf(study, attack, [UNDEFENDED]);
  const defended = study.cells.filter((cell) => cell.attack === attack && cell.label === label);
  return {
    studies: [study.file],
    about: `${study.model}, ${attack}: ${label}`,
    needs: [...undefended, ...defended],
    decide: () => whereAttackWorks(undefendedIn(study, attack), () => decide({ undefended, defended })),
  };
}

/** What a difference says of a claim that something is less: `less` and `more` are why, where its interval leaves out zero. */
export function whereLess({ low, high }: Difference, less: string, more: string): Pick<Decision, "verdict" | "why"> {
  if (high < 0) return { verdict: "holds here", why: less };
  if (low > 0) return { verdict: "does not hold here", why: more };
  return { verdict: "not shown here", why: "the interval of the difference holds zero" };
}
