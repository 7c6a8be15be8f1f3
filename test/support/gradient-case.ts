import type { Value } from "../../src/engine/graph.ts";
import type { Shape } from "../../src/engine/shape.ts";
import type { CheckOptions } from "./check-grads.ts";

/** One line of the table: a function made with the op, the shapes of its inputs, and where it is evaluated. */
export type GradientCase = readonly [f: (...x: Value[]) => Value, shapes: readonly Shape[], options?: CheckOptions];

/** The shapes of a case's inputs, on one line. */
export function on(...shapes: readonly Shape[]): readonly Shape[] {
  return shapes;
}

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
  at: (rng, count) => rng.normals(count).map((x) => x + (x < 0 ? -0.4 : 0.4)),
};

/** Numbers between 0.6 and 1.6. */
export const positive: CheckOptions = { step: 0.01, at: (rng, count) => rng.uniforms(count).map((x) => x + 0.6) };

/** Numbers in random order, no two of the first two inputs closer than 0.25: none overtakes another within a difference's steps. */
export const distinct: CheckOptions = {
  step: 0.01,
  at: (rng, count, n) => Float32Array.from(rng.permutation(count), (i) => (i - Math.floor(count / 2)) * 0.5 + n * 0.25),
};
