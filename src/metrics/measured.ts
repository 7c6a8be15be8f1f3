/** A measured number with its 95 % interval. `n` counts what it was measured on (images, identities). */
export interface Measured {
  readonly value: number;
  readonly n: number;
  readonly low: number;
  readonly high: number;
}
