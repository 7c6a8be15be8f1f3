import type { Measured } from "../metrics/measured.ts";

/** An attack's accuracy, and what it has to rise above. */
export interface Floored {
  readonly attackAccuracy: Measured;
  readonly floors: { readonly randomPrior: Measured; readonly initialSelection: Measured };
}

/** Whether the interval of an attack's accuracy lies above both of its floors: only then did optimisation find anything. */
export function beatsFloors({ attackAccuracy: { low }, floors }: Floored): boolean {
  return low > floors.randomPrior.high && low > floors.initialSelection.high;
}
