import type { Measured } from "../metrics/measured.ts";
import { attackName, defenseName } from "./entry-labels.ts";
import type { CellResult } from "./result.ts";
import type { Study } from "./study-schema.ts";

const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
const withInterval = ({ value, low, high }: Measured) => `${percent(value)} [${percent(low)}, ${percent(high)}]`;

const DISTANCES: Readonly<Record<string, string>> = {
  faces: "near: other people in the same drawing style",
  style: "middle: people in another drawing style",
  "no-faces": "far: things that are no faces",
};

/** Sentences on what the numbers rest on: how far the pre-training set is, and how much its features know already. */
export function studyNotes(study: Study, pretraining: Measured | undefined, probe: Measured | undefined): string[] {
  const notes: string[] = [];
  if (study.data.kind === "faces") {
    notes.push(
      "The people are drawn, not photographed: they show how defenses compare, not how much a photograph would leak.",
    );
    notes.push(`The pre-training set is ${DISTANCES[study.data.pretraining.kind]}.`);
  }
  if (pretraining !== undefined)
    notes.push(`The start weights reach ${withInterval(pretraining)} on their own test images.`);
  if (probe !== undefined)
    notes.push(
      `A linear probe on the pre-trained features reaches ${withInterval(probe)} natural accuracy on the private test images.`,
    );
  return notes;
}

/** A sentence on each guarantee that a target's training gives; the same for all attacks and seeds. */
export function privacyNotes(cells: readonly CellResult[]): string[] {
  const notes = cells.flatMap(({ privacy: p, ...cell }) =>
    p === undefined
      ? []
      : [
          `Training with ${defenseName(cell)} is (ε = ${p.epsilon.toFixed(2)}, δ = ${p.delta})-differentially private for single training images: ${p.steps} steps on Poisson samples at rate ${p.sampleRate.toPrecision(3)}, noise multiplier ${p.noiseMultiplier}, as long as nobody knows the seed.`,
        ],
  );
  return [...new Set(notes)];
}

/** What attacks found out about targets, each once. */
export function attackNotes(cells: readonly CellResult[]): string[] {
  const notes = cells.flatMap((cell) =>
    cell.remark === undefined ? [] : [`${attackName(cell)} on ${defenseName(cell)}: ${cell.remark}`],
  );
  return [...new Set(notes)];
}
