import type { Measured } from "../metrics/measured.ts";
import { numbered } from "./audit/class-mapping.ts";
import { knowsClasses } from "./audit/plausible.ts";
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

/** Classifiers that a study has from files just as they are, and the classes that they should know, in order. */
export interface Brought {
  /** What the cells of brought targets call their defenses. */
  readonly defenses: readonly string[];
  /** Whether the evaluation model was brought. */
  readonly judge: boolean;
  readonly classes: readonly string[];
}

/**
 * A sentence on each brought classifier that may not know the private people at all: weights do not name their classes, and numbered in
 * another order than the data's they are wrong about nearly all images, whatever they know.
 */
export function broughtNotes(cells: readonly CellResult[], { defenses, judge, classes }: Brought): string[] {
  const told = (what: string, accuracy: Measured) =>
    knowsClasses(accuracy, classes.length)
      ? []
      : [
          `${what} came from a file and is right about ${withInterval(accuracy)} of the private test images; guessing one of ${classes.length} classes gives ${percent(1 / classes.length)}. If it should know these people, its images are scaled in another way, or its classes stand in another order than the data's: ${numbered(classes)}.`,
        ];
  const notes = cells.flatMap((cell) => [
    ...(defenses.includes(defenseName(cell)) ? told(`The target (${defenseName(cell)})`, cell.naturalAccuracy) : []),
    ...(judge ? told("The evaluation model", cell.evaluationModel.naturalAccuracy) : []),
  ]);
  return [...new Set(notes)];
}

/** What attacks found out about targets, each once. */
export function attackNotes(cells: readonly CellResult[]): string[] {
  const notes = cells.flatMap((cell) =>
    cell.remark === undefined ? [] : [`${attackName(cell)} on ${defenseName(cell)}: ${cell.remark}`],
  );
  return [...new Set(notes)];
}
