import { grad } from "../../src/engine/autodiff.ts";
import { input, type Value } from "../../src/engine/graph.ts";
import { mul } from "../../src/engine/ops/elementwise.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { type Rng, random } from "../../src/engine/random.ts";
import { compile } from "../../src/engine/runtime.ts";
import { type Shape, sizeOf } from "../../src/engine/shape.ts";

/** How a check draws its numbers and how close it asks the two derivatives to be. */
export interface CheckOptions {
  readonly seed?: number;
  /** Highest order of derivative checked; 2 by default. */
  readonly order?: 1 | 2;
  /** Largest difference, relative to the derivative (to 0.01 where that is smaller). */
  readonly tolerance?: number;
  /** Step of the finite difference. */
  readonly step?: number;
  /** Where the n-th input is evaluated; standard normal numbers by default. Kinks must stay farther away than two steps. */
  readonly at?: (rng: Rng, count: number, n: number) => Float32Array;
}

/** A leaf with the numbers at which it is evaluated. */
interface Point {
  readonly x: Value;
  readonly at: Float32Array;
}

/**
 * Compares, input by input, the derivative of ⟨r, f(x)⟩ with a five-point finite difference, then does the same for each of its
 * gradients (order 2). Directions have random sizes and the gradient's own signs: terms then cannot cancel, and a rule that is off
 * by a part in `tolerance` shows however many elements there are. @throws Error naming order, input and both numbers when they differ.
 */
export async function checkGrads(
  f: (...x: Value[]) => Value,
  shapes: readonly Shape[],
  { seed = 1, order = 2, tolerance = 2e-3, step = 0.02, at = (rng, count) => rng.normals(count) }: CheckOptions = {},
): Promise<void> {
  const rng = random(seed, "check-grads");
  const points = shapes.map((shape, i) => ({ x: input(`x${i}`, shape), at: at(rng, sizeOf(shape), i) }));
  const check = { rng, tolerance, step };
  const gradients = await checkOrder(f(...points.map((p) => p.x)), points, 1, check);
  if (gradients.length === 0) throw new Error("the result depends on no input");
  if (order === 1) return;
  for (const { g, points: within } of gradients) await checkOrder(g, within, 2, check);
}

interface Check {
  readonly rng: Rng;
  readonly tolerance: number;
  readonly step: number;
}

/** Checks the first derivative of y; returns its gradients with the points that they depend on. */
async function checkOrder(
  y: Value,
  points: readonly Point[],
  order: number,
  { rng, tolerance, step }: Check,
): Promise<{ g: Value; points: Point[] }[]> {
  const r = { x: input(`r${order}`, y.shape), at: rng.normals(sizeOf(y.shape)) };
  const inner = sum(mul(r.x, y));
  const moved = points.flatMap(({ x, at }) => {
    const g = gradient(inner, x);
    return g === undefined ? [] : [{ name: x.leaf!.name, g, at }];
  });
  if (moved.length === 0) return [];
  const program = await compile({
    outputs: { y, ...Object.fromEntries(moved.map(({ name, g }) => [`g.${name}`, g])) },
  });
  const feeds = Object.fromEntries([...points, r].map(({ x, at }) => [x.leaf!.name, at]));
  // The arrays of a result are reused by the next run.
  const gradients = await program.run(feeds);
  const analytic = moved.map(({ name }) => Float32Array.from(gradients[`g.${name}`]!.data));
  for (const [i, { name, at }] of moved.entries()) {
    const g = analytic[i]!;
    const direction = g.map((v) => Math.abs(rng.normal()) * (v < 0 ? -1 : 1));
    const value = async (shift: number) => {
      const shifted = at.map((v, j) => v + shift * direction[j]!);
      return dot(r.at, (await program.run({ ...feeds, [name]: shifted })).y!.data);
    };
    const outer = (await value(2 * step)) - (await value(-2 * step));
    const difference = (8 * ((await value(step)) - (await value(-step))) - outer) / (12 * step);
    const slope = dot(direction, g);
    if (!(Math.abs(slope - difference) <= tolerance * Math.max(slope, 1e-2))) {
      await program.release();
      throw new Error(`order ${order}, ${name}: the gradient gives ${slope}, finite differences ${difference}`);
    }
  }
  await program.release();
  return moved.map(({ g }) => ({ g, points: [...points, r] }));
}

function gradient(output: Value, x: Value): Value | undefined {
  try {
    return grad(output, [x])[0];
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}
