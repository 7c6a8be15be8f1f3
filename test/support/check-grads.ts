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
  /** Largest difference, relative to the sum of the derivative's terms' sizes. */
  readonly tolerance?: number;
  /** Step of the finite difference. */
  readonly step?: number;
  /** Where the function is evaluated; standard normal numbers by default. Kinks must stay farther away than two steps. */
  readonly at?: (rng: Rng, count: number) => Float32Array;
}

/** A leaf with the numbers at which it is evaluated. */
interface Point {
  readonly x: Value;
  readonly at: Float32Array;
}

/**
 * Compares the derivative of ⟨r, f(x)⟩ along a random direction with a five-point finite difference, then does the same for each
 * of its gradients (order 2). @throws Error naming the order and both numbers when they differ.
 */
export async function checkGrads(
  f: (...x: Value[]) => Value,
  shapes: readonly Shape[],
  { seed = 1, order = 2, tolerance = 2e-3, step = 0.02, at = (rng, n) => rng.normals(n) }: CheckOptions = {},
): Promise<void> {
  const rng = random(seed, "check-grads");
  const points = shapes.map((shape, i) => ({ x: input(`x${i}`, shape), at: at(rng, sizeOf(shape)) }));
  const check = { rng, tolerance, step };
  const gradients = await checkOrder(f(...points.map((p) => p.x)), points, 1, check);
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
    return g === undefined ? [] : [{ x, g, at, direction: rng.normals(at.length) }];
  });
  if (moved.length === 0) return [];
  const program = await compile({
    outputs: { y, ...Object.fromEntries(moved.map(({ x, g }) => [`g.${x.leaf!.name}`, g])) },
  });
  const run = (shift: number) => {
    const feeds = Object.fromEntries([...points, r].map(({ x, at }) => [x.leaf!.name, at]));
    for (const { x, at, direction } of moved) feeds[x.leaf!.name] = at.map((v, i) => v + shift * direction[i]!);
    return program.run(feeds);
  };
  const value = async (shift: number) => dot(r.at, (await run(shift)).y!.data);
  const outer = (await value(2 * step)) - (await value(-2 * step));
  const difference = (8 * ((await value(step)) - (await value(-step))) - outer) / (12 * step);
  const result = await run(0);
  let [analytic, scale] = [0, 1e-2];
  for (const { x, direction } of moved) {
    const g = result[`g.${x.leaf!.name}`]!.data;
    analytic += dot(direction, g);
    scale += dot(direction.map(Math.abs), g.map(Math.abs));
  }
  await program.release();
  if (!(Math.abs(analytic - difference) <= tolerance * scale)) {
    throw new Error(
      `order ${order}: the gradient gives ${analytic}, finite differences ${difference} (scale ${scale})`,
    );
  }
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
