import { stepFolder } from "../study/step-record.ts";
import type { PlannedStep } from "../study/steps/planned.ts";

/** Steps that are still to be done, and which of them can begin. Steps are named by their folders. */
export interface StepGraph {
  /** Steps that were wanted at the start. */
  readonly size: number;
  /** Steps of which nothing is known yet that can begin now: all that they need is done. */
  ready(): PlannedStep[];
  /** Notes that a step is done; gives those that can begin now. */
  finish(id: string): PlannedStep[];
  /** Notes that a step failed; what rests on it will not be done. */
  fail(id: string): void;
  /** Whether the step is wanted and neither done nor failed. */
  isOpen(id: string): boolean;
  /** Steps that are neither done nor failed nor rest on failed ones. */
  left(): number;
  done(): number;
  place(id: string): StepPlace;
}

/** Which wave first wants a step, from 0, and how long the longest chain of steps is that waits for it: itself alone is 1. */
export interface StepPlace {
  readonly wave: number;
  readonly height: number;
}

/**
 * The graph of what is asked for and what that rests on, as far as it isn't done. What a finished step rested on is not wanted.
 * @param waves what is asked for, in the order in which it is wanted
 * @param isDone whether the store has a step
 */
export async function stepGraph(
  waves: readonly (readonly PlannedStep[])[],
  isDone: (step: PlannedStep) => Promise<boolean>,
): Promise<StepGraph> {
  const steps = new Map<string, PlannedStep>();
  const waveOf = new Map<string, number>();
  const users = new Map<string, string[]>();
  const seen = new Map<string, Promise<boolean>>();
  const visit = (step: PlannedStep, wave: number): Promise<boolean> => {
    const id = stepFolder(step.spec);
    const known = seen.get(id);
    if (known !== undefined) return known;
    const found = (async () => {
      if (await isDone(step)) return true;
      for (const need of step.needs) await visit(need, wave);
      steps.set(id, step);
      waveOf.set(id, wave);
      return false;
    })();
    seen.set(id, found);
    return found;
  };
  for (const [wave, ends] of waves.entries()) for (const end of ends) await visit(end, wave);

  const missing = new Map<string, number>();
  for (const [id, step] of steps) {
    const needs = new Set(step.needs.map(({ spec }) => stepFolder(spec)).filter((need) => steps.has(need)));
    missing.set(id, needs.size);
    for (const need of needs) users.set(need, [...(users.get(need) ?? []), id]);
  }
  const heights = new Map<string, number>();
  // Users stand after what they need: backwards, every user's height is known.
  for (const id of [...steps.keys()].reverse()) {
    heights.set(id, 1 + Math.max(0, ...(users.get(id) ?? []).map((user) => heights.get(user)!)));
  }
  const done = new Set<string>();
  const lost = new Set<string>();
  const isOpen = (id: string) => steps.has(id) && !done.has(id) && !lost.has(id);
  const lose = (id: string): void => {
    if (lost.has(id)) return;
    lost.add(id);
    for (const user of users.get(id) ?? []) lose(user);
  };

  return {
    size: steps.size,
    ready: () => [...steps].flatMap(([id, step]) => (missing.get(id) === 0 && isOpen(id) ? [step] : [])),
    finish(id) {
      if (!isOpen(id)) return [];
      done.add(id);
      return (users.get(id) ?? []).flatMap((user) => {
        const rest = missing.get(user)! - 1;
        missing.set(user, rest);
        return rest === 0 && isOpen(user) ? [steps.get(user)!] : [];
      });
    },
    fail(id) {
      if (isOpen(id)) lose(id);
    },
    isOpen,
    left: () => steps.size - done.size - lost.size,
    done: () => done.size,
    place: (id) => ({ wave: waveOf.get(id) ?? 0, height: heights.get(id) ?? 0 }),
  };
}
