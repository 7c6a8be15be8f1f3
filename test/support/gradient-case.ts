import type { Value } from "../../src/engine/graph.ts";
import type { Rng } from "../../src/engine/random.ts";
import type { Shape } from "../../src/engine/shape.ts";
import type { CheckOptions } from "./check-grads.ts";

/** One line of the table: a function made with the op, the shapes of its inputs, and where it is evaluated. */
export type GradientCase = readonly [f: (...x: Value[]) => Value, shapes: readonly Shape[], options?: CheckOptions];

/** An op through which no gradient flows, shown on an input. */
export interface NoGradient {
  readonly noGradient: (x: Value) => Value;
}

/** Cases for every function that a module of ops exports; a missing one does not compile. */
export type CasesOf<Module> = {
  readonly [Name in keyof Module as Module[Name] extends (...args: never[]) => unknown ? Name : never]:
    | readonly GradientCase[]
    | NoGradient;
};

/** Numbers of both signs that stay at least 0.4 from zero. */
export const awayFromZero: CheckOptions = {
  step: 0.01,
  at: (rng, n) => rng.normals(n).map((x) => x + (x < 0 ? -0.4 : 0.4)),
};

/** Numbers between 0.6 and 1.6. */
export const positive: CheckOptions = { step: 0.01, at: (rng, n) => rng.uniforms(n).map((x) => x + 0.6) };

/** Numbers in random order, no two closer than 0.25: none overtakes another within a difference's steps. */
export const distinct: CheckOptions = {
  step: 0.01,
  at: (rng, n) => Float32Array.from(rng.permutation(n), (i) => (i - n / 2 + 0.5) * 0.25),
};

/** The first input as `first` has it, the others standard normal. */
export function firstInput(first: CheckOptions): CheckOptions {
  const { at, ...rest } = first;
  return { ...rest, at: inTurn(at!, (rng, n) => rng.normals(n)) };
}

/** Each input evaluated in a way of its own; the last way serves all that follow. */
export function inTurn(...ways: readonly ((rng: Rng, n: number) => Float32Array)[]) {
  let turn = 0;
  return (rng: Rng, n: number): Float32Array => ways[Math.min(turn++, ways.length - 1)]!(rng, n);
}
