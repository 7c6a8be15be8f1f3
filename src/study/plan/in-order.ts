import type { PlannedStep } from "../steps/planned.ts";

/** The steps that these rest on and they themselves, each once, needs before users. */
export function inOrder(ends: readonly PlannedStep[]): PlannedStep[] {
  const steps = new Map<string, PlannedStep>();
  const visit = (step: PlannedStep) => {
    for (const need of step.needs) visit(need);
    if (!steps.has(step.id)) steps.set(step.id, step);
  };
  for (const end of ends) visit(end);
  return [...steps.values()];
}
