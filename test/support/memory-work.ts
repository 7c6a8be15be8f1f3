import { expect } from "vitest";
import type { Work } from "../../src/engine/work.ts";

type Row = Readonly<Record<string, number | string>>;
type Numbers = Readonly<Record<string, number>>;

/** Work whose checkpoints and rows are kept in memory. */
export interface MemoryWork extends Work {
  /** Everything logged, as a metrics file would hold it. */
  readonly rows: readonly Row[];
  /** The numbers of each step of this session. */
  readonly steps: readonly Numbers[];
  /** What a new session of the same work finds: checkpoints, and the rows up to the newest of them. */
  readonly left: () => Leftovers;
}

interface Leftovers {
  readonly checkpoints: ReadonlyMap<string, Uint8Array>;
  readonly rows: readonly Row[];
}

/** @param stopAfter the signal is aborted after so many steps of this session. */
export function memoryWork({
  stopAfter,
  from,
}: {
  readonly stopAfter?: number;
  readonly from?: Leftovers;
} = {}): MemoryWork {
  const controller = new AbortController();
  const checkpoints = new Map(from?.checkpoints);
  const rows: Row[] = [...(from?.rows ?? [])];
  const steps: Numbers[] = [];
  let kept = rows.length;
  return {
    signal: controller.signal,
    rows,
    steps,
    left: () => ({ checkpoints, rows: rows.slice(0, kept) }),
    progress({ metrics = {} }) {
      steps.push(metrics);
      if (steps.length === stopAfter) controller.abort();
    },
    async log(row) {
      rows.push(row);
    },
    async saveCheckpoint(name, bytes) {
      checkpoints.set(name, bytes.slice());
      kept = rows.length;
    },
    loadCheckpoint: async (name) => checkpoints.get(name),
  };
}

/**
 * Runs work that is interrupted after each of the given numbers of steps, every session going on from what the last one left, and
 * then to its end. Fails unless each interruption ends in an AbortError.
 */
export async function runWithInterruptions<T>(
  stops: readonly number[],
  run: (work: Work) => Promise<T>,
): Promise<{ readonly result: T; readonly work: MemoryWork }> {
  let from: Leftovers | undefined;
  for (const stopAfter of stops) {
    const work = memoryWork({ stopAfter, ...(from && { from }) });
    await expect(run(work), `interrupted after ${stopAfter} steps`).rejects.toMatchObject({ name: "AbortError" });
    from = work.left();
  }
  const work = memoryWork(from && { from });
  return { result: await run(work), work };
}
