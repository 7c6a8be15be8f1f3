import { type Answer, answer, type Claim } from "../../src/report/paper/claim.ts";
import type { EvidenceCell, StudyEvidence } from "../../src/report/paper/evidence.ts";
import type { CellResult } from "../../src/study/result.ts";
import { cell, evenPeople, judgesOf, rate } from "./study-result.ts";

const SEEDS = [1, 2, 3];

/** A made-up target under an attack, for three seeds that differ a little. */
export interface Made {
  readonly defense: string;
  readonly label?: string;
  readonly natural: number;
  readonly attack: number;
  readonly trained?: number;
  readonly by?: string;
  readonly access?: string;
  readonly missing?: boolean;
  readonly start?: "scratch";
  /** How much more is found for each of the seeds. */
  readonly shifts?: readonly number[];
  readonly more?: Partial<CellResult>;
}

function cellsOf({ defense, label = defense, natural, attack, missing, by = "kedmi", ...rest }: Made): EvidenceCell[] {
  const { access = "white-box", trained = 1000, start, shifts, more } = rest;
  return SEEDS.map((seed) => {
    const name = `${label}-${by}-seed${seed}`;
    const at = { defense, label, target: `${label} ${seed}`, attack: by, access, seed, name, ...(start && { start }) };
    if (missing && seed === 3) return at;
    const drift = 0.002 * (seed - 2);
    const found = attack + drift + (shifts?.[seed - 1] ?? 0);
    const result = cell({
      defense,
      ...(label !== defense && defense === "none" && { defenseLabel: label }),
      ...(start && { start }),
      attack: by,
      seed,
      boundary: label === defense ? null : label,
      trainableParameters: trained,
      naturalAccuracy: rate(natural + drift, 0.01, 800),
      attackAccuracy: rate(found, 0.03, 600),
      judges: judgesOf(attack),
      identities: evenPeople(found, natural + drift, defense),
      ...more,
    });
    return { ...at, result, file: `records/made/${name}.json` };
  });
}

/** A study of these targets under their attacks. */
export const made = (rows: readonly Made[], more: Partial<StudyEvidence> = {}): StudyEvidence => ({
  name: "made",
  file: "studies/made.yaml",
  model: "resnet18",
  pretraining: "no-faces",
  judges: true,
  attributes: true,
  cells: rows.flatMap(cellsOf),
  ...more,
});

/** The undefended target. */
export const NONE: Made = { defense: "none", natural: 0.94, attack: 0.7, trained: 4000 };

/** A target with TL-DMI up to a boundary. */
export const tl = (label: string, natural: number, attack: number, trained: number): Made => ({
  defense: "tl-dmi",
  label: `tl-dmi ${label}`,
  natural,
  attack,
  trained,
});

/** What a claim's questions are answered by these studies. */
export const answersTo = (claim: Claim, ...studies: readonly StudyEvidence[]): Answer[] =>
  claim.questions(studies).map(answer);

/** The verdicts of those answers. */
export const verdicts = (claim: Claim, ...studies: readonly StudyEvidence[]) =>
  answersTo(claim, ...studies).map(({ verdict }) => verdict);
