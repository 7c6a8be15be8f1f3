import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Queries } from "../attacks/queries.ts";
import type { Rehearsal } from "../engine/work.ts";
import { askedIn } from "./steps/asked.ts";
import { ATTACK_RECORD, type AttackRecord } from "./steps/attack.ts";
import type { PlannedStep } from "./steps/planned.ts";

/** What a step costs. */
export interface StepCost {
  /** Wall time in seconds. */
  readonly seconds: number;
  /** Images that go through the target; absent where the step asks nothing. */
  readonly queries?: number;
}

/** Steps that a rehearsed loop takes: the first one warms up. */
const STEPS = 4;

/** Kinds of steps that ask somebody outside, which no estimate may do. */
const OUTSIDE = ["http-judge", "http-judge-real"];

/** Whether a step can be rehearsed at all. */
export function canRehearse({ spec }: PlannedStep): boolean {
  return !OUTSIDE.includes(spec.kind);
}

/**
 * Does a step with loops of a few steps, into a folder of its own, and gives what the whole step would cost. Everything outside of
 * loops is done as it will be. The folder then holds outputs of the right shape and of no worth.
 * @param dirOf the folder of a step of `needs`, done or rehearsed
 */
export async function rehearseStep(
  step: PlannedStep,
  dir: string,
  dirOf: (need: PlannedStep) => string,
  signal: AbortSignal,
): Promise<StepCost> {
  const left = { seconds: 0, queries: 0 };
  const rehearsal: Rehearsal = {
    steps: STEPS,
    cut(loop) {
      left.seconds += loop.left * loop.seconds;
      left.queries += loop.left * loop.asked;
    },
  };
  const since = performance.now();
  const context = {
    dir,
    signal,
    progress: () => {},
    saveCheckpoint: async () => {},
    loadCheckpoint: async () => undefined,
    log: async () => {},
    rehearsal,
  };
  await step.body(context, dirOf);
  const seconds = (performance.now() - since) / 1000 + left.seconds;
  const queries = Math.round((await ownQueries(step, dir, dirOf)) + left.queries);
  return queries > 0 ? { seconds, queries } : { seconds };
}

/** What a step wrote that it asked of the target; an attack's record counts what its needs asked too. */
async function ownQueries(step: PlannedStep, dir: string, dirOf: (need: PlannedStep) => string): Promise<number> {
  if (step.spec.kind !== "attack") return (await askedIn([dir])).images;
  const { queries }: { queries: Queries } = JSON.parse(
    await readFile(join(dir, ATTACK_RECORD), "utf8"),
  ) as AttackRecord;
  return queries.images - (await askedIn(step.needs.map(dirOf))).images;
}
