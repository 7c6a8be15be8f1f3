import { type StepSpec, stepId } from "../step-record.ts";
import type { StepContext, StepResult, StepStore } from "../step-store.ts";

/** A step that is known but perhaps not done: what it is called, what determines it, how it is done, what it rests on. */
export interface PlannedStep {
  readonly name: string;
  readonly spec: StepSpec;
  readonly id: string;
  readonly needs: readonly PlannedStep[];
  /** @param dir the folder of a step of `needs`, already done */
  body(context: StepContext, dir: (need: PlannedStep) => string): Promise<void>;
}

/** Plans a step; steps that it needs become inputs by their role. `data` holds hashes of what else it depends on. */
export function planStep(
  name: string,
  spec: Omit<StepSpec, "inputs"> & { readonly data?: Readonly<Record<string, string>> },
  needs: Readonly<Record<string, PlannedStep>>,
  body: PlannedStep["body"],
): PlannedStep {
  const { data = {}, ...rest } = spec;
  const ids = Object.fromEntries(Object.entries(needs).map(([role, step]) => [role, step.id]));
  const full: StepSpec = { ...rest, inputs: { ...data, ...ids } };
  return { name, spec: full, id: stepId(full), needs: Object.values(needs), body };
}

/** Does steps in the order of their needs, each once, and remembers where their outputs lie. `told` hears of each result. */
export function stepRunner(
  store: StepStore,
  told: (step: PlannedStep, result: StepResult) => void,
): (step: PlannedStep) => Promise<StepResult> {
  const done = new Map<string, StepResult>();
  const run = async (step: PlannedStep): Promise<StepResult> => {
    const known = done.get(step.id);
    if (known !== undefined) return known;
    // What a finished step rested on is not computed again.
    const state = await store.state(step.spec);
    if (state !== "done" && state !== "shipped") for (const need of step.needs) await run(need);
    const result = await store.run(step.spec, step.name, (context) =>
      step.body(context, (need) => done.get(need.id)!.dir),
    );
    done.set(step.id, result);
    told(step, result);
    return result;
  };
  return run;
}
