import type { AttributeSpec } from "../data/dataset.ts";
import { type AttributePlace, attributeLayout, attributeWidth, checkAttributeValues } from "./attribute-layout.ts";
import { byIdentity } from "./by-identity.ts";
import { bootstrapByIdentity } from "./interval.ts";
import type { Measured } from "./measured.ts";
import { hits } from "./top-k.ts";

/** How well one attribute can be read from reconstructions, beside two references. All three are taken over the attacked identities. */
export interface AttributeRecovery {
  readonly name: string;
  readonly kind: "number" | "category";
  /** `accuracy` for categories (higher: more leaks), `mean absolute error` for numbers in [0, 1] (lower: more leaks). */
  readonly unit: "accuracy" | "mean absolute error";
  /** The regressor's reading of the reconstructions against the truth. */
  readonly reconstruction: Measured;
  /** Guessing the population's mode (categories) or mean (numbers): what an attacker knows without the model. `n` counts identities. */
  readonly guess: Measured;
  /** The regressor's reading of real private images: the most that it could show. */
  readonly real: Measured;
}

/** An attribute regressor's answers: for each image its identity, and a row of `attributeWidth` outputs (see `attributeTargets`). */
export interface AttributeReadings {
  readonly labels: Int32Array;
  readonly outputs: Float32Array;
}

/** What attribute recovery is measured on. */
export interface AttributeEvidence {
  readonly specs: readonly AttributeSpec[];
  /** Attribute values of each private class. */
  readonly truth: readonly Float32Array[];
  /** Attribute values of other people, who each count once. */
  readonly population: readonly Float32Array[];
  readonly reconstructions: AttributeReadings;
  /** Real images of private identities; those of identities that were not attacked are passed over. */
  readonly real: AttributeReadings;
  /** Seed of the resampling that intervals come from. */
  readonly seed: number;
}

/** The columns of one attribute, as a matrix of its own. */
function columns(outputs: Float32Array, width: number, { spec, columnAt }: AttributePlace): Float32Array {
  const rows = outputs.length / width;
  return Float32Array.from({ length: rows * spec.size }, (_, i) => {
    const row = Math.floor(i / spec.size);
    return outputs[row * width + columnAt + (i % spec.size)]!;
  });
}

/** One score an image: 1 or 0 for a category read right or wrong, for numbers the mean absolute error over components. */
function scores(
  answers: Float32Array,
  labels: Int32Array,
  { spec, valueAt }: AttributePlace,
  truth: readonly Float32Array[],
): ArrayLike<number> {
  if (spec.kind === "category") {
    return hits(
      answers,
      labels.map((label) => truth[label]![valueAt]!),
      spec.size,
      1,
    );
  }
  return Float64Array.from(labels, (label, i) => {
    let error = 0;
    for (let j = 0; j < spec.size; j++) error += Math.abs(answers[i * spec.size + j]! - truth[label]![valueAt + j]!);
    return error / spec.size;
  });
}

/** What the population suggests, in the layout of one output row's part: the mean, or the mode (of equals the first) one-hot. */
function populationAnswer({ spec, valueAt }: AttributePlace, population: readonly Float32Array[]): Float32Array {
  const sums = new Float64Array(spec.size);
  for (const values of population) {
    if (spec.kind === "category") sums[values[valueAt]!]! += 1;
    else for (let j = 0; j < spec.size; j++) sums[j]! += values[valueAt + j]!;
  }
  if (spec.kind === "number") return Float32Array.from(sums, (sum) => sum / population.length);
  const mode = sums.indexOf(Math.max(...sums));
  return Float32Array.from(sums, (_, category) => (category === mode ? 1 : 0));
}

/** @throws RangeError unless each image has a label in [0, classes) and a whole output row. */
function checkReadings(of: string, { labels, outputs }: AttributeReadings, width: number, classes: number): void {
  if (outputs.length !== labels.length * width) {
    throw new RangeError(`${of}: expected ${labels.length} × ${width} outputs, got ${outputs.length}`);
  }
  const stray = labels.find((label) => label < 0 || label >= classes);
  if (stray !== undefined) throw new RangeError(`${of}: label ${stray} is not in 0 … ${classes - 1}`);
}

/**
 * Attribute recovery: what reconstructions reveal of attributes whose truth is known, beside what the population alone suggests
 * and what real images show. All intervals come from resampling identities.
 * @returns one entry an attribute, in the order of `specs`
 * @throws RangeError without reconstructions, without population, without real images of the attacked identities, for arrays that
 * do not fit together, or for a number that was read as NaN (a category read from NaN counts as wrong).
 */
export function attributeRecovery(evidence: AttributeEvidence): AttributeRecovery[] {
  const { specs, truth, population, reconstructions, real, seed } = evidence;
  const width = attributeWidth(specs);
  for (const values of [...truth, ...population]) checkAttributeValues(specs, values);
  checkReadings("reconstructions", reconstructions, width, truth.length);
  checkReadings("real images", real, width, truth.length);
  if (population.length === 0)
    throw new RangeError("attribute recovery: the population is empty, nothing can be guessed");
  const attacked = new Set(reconstructions.labels);
  const people = Int32Array.from(attacked).sort();

  return attributeLayout(specs).map((place) => {
    const measured = (answers: Float32Array, labels: Int32Array) => {
      const groups = byIdentity(scores(answers, labels, place, truth), labels, truth.length);
      return bootstrapByIdentity(
        groups.filter((_, identity) => attacked.has(identity)),
        seed,
      );
    };
    const guess = populationAnswer(place, population);
    const guesses = Float32Array.from({ length: people.length * guess.length }, (_, i) => guess[i % guess.length]!);
    const { name, kind } = place.spec;
    return {
      name,
      kind,
      unit: kind === "category" ? "accuracy" : "mean absolute error",
      reconstruction: measured(columns(reconstructions.outputs, width, place), reconstructions.labels),
      guess: measured(guesses, people),
      real: measured(columns(real.outputs, width, place), real.labels),
    };
  });
}
