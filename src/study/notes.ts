import type { Measured } from "../metrics/measured.ts";
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
