import type { StepEstimate } from "./estimate.ts";

/** The threads that each of several workers has. */
export function threadsEach(threads: number, workers: number): number {
  return Math.max(1, Math.floor(threads / workers));
}

/**
 * The seconds that steps take at least which several workers do side by side: each its part of the work, and no less than the longest chain
 * of steps that wait for one another.
 */
export function sideBySideSeconds(
  steps: readonly Pick<StepEstimate, "id" | "cost" | "needs">[],
  workers: number,
): number {
  const ends = new Map<string, number>();
  // A step stands behind what it rests on.
  for (const { id, cost, needs } of steps) {
    ends.set(id, (cost?.seconds ?? 0) + Math.max(0, ...needs.map((need) => ends.get(need) ?? 0)));
  }
  const work = steps.reduce((sum, { cost }) => sum + (cost?.seconds ?? 0), 0);
  return Math.max(work / workers, ...ends.values());
}
