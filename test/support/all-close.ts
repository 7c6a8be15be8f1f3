import { expect } from "vitest";

/** How close numbers must be: |got − wanted| ≤ absolute + relative · |wanted|, element by element. */
export interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
}

/** Fails, naming the worst element, unless all numbers are close. */
export function expectAllClose(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  { relative = 1e-5, absolute = 1e-6 }: Tolerance = {},
  what = "result",
): void {
  expect(got.length, `${what}: number of elements`).toBe(wanted.length);
  let [worst, excess] = [-1, 0];
  for (let i = 0; i < wanted.length; i++) {
    const over = Math.abs(got[i]! - wanted[i]!) - absolute - relative * Math.abs(wanted[i]!);
    if (over <= excess) continue;
    [worst, excess] = [i, Number.isNaN(over) ? Number.POSITIVE_INFINITY : over];
  }
  if (worst >= 0) expect.fail(`${what}: element ${worst} is ${got[worst]}, wanted ${wanted[worst]}`);
}
