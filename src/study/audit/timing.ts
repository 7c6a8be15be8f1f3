import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StudyData } from "../../data/dataset.ts";
import { priors } from "../../priors/index.ts";
import { type Choice, chosenAttack, chosenPrior } from "../choose.ts";
import type { EventSink } from "../events.ts";
import { isInterruption } from "../interrupted.ts";
import { expandStudy, type StudyPlan } from "../plan.ts";
import type { StudyWeights } from "../read-study.ts";
import { openStepStore, type StepStore } from "../step-store.ts";
import { type PlannedStep, stepRunner } from "../steps/planned.ts";
import type { Study } from "../study-schema.ts";
import type { AttackCost, Part } from "./budget.ts";

/** How attacks are timed. */
export interface TimingOptions {
  readonly study: Study;
  readonly data: StudyData;
  readonly weights: StudyWeights;
  /** Holds the target, and what else is done already. */
  readonly store: StepStore;
  readonly stepsDir: string;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** Seconds for which a step is watched; 4 by default. */
  readonly seconds?: number;
}

/**
 * What each of a study's attacks takes on this machine, from the pace of its first steps: how fast networks run does not depend on their
 * weights, so priors that others start from are trained for one step alone here. What is in the store already costs nothing. The first
 * target stands for all of them.
 */
export async function timeAttacks(options: TimingOptions): Promise<AttackCost[]> {
  const { study, data, weights, store, events, seconds = 4 } = options;
  const root = await mkdtemp(join(tmpdir(), "tldmi-timing-"));
  const watch = (step: PlannedStep) => watchStep(step, { ...options, root, seconds });
  const whole = expandStudy(study, data, weights);
  const known = new Map<string, Part>();
  /** The cost of a step of the whole study, by a plan in which all that it rests on is short. */
  const part = async (name: string, of: (plan: StudyPlan) => PlannedStep, full: readonly string[]): Promise<Part> => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const state = await store.state(of(whole).spec);
    const done = state === "done" || state === "shipped";
    const found = { name, seconds: done ? 0 : await watch(of(expandStudy(shortened(study, full), data, weights))) };
    known.set(name, found);
    return found;
  };
  const targets = whole.targets.length;
  const forEach = ({ name, seconds }: Part): Part => ({ name, seconds: targets * seconds });
  const costs: AttackCost[] = [];
  try {
    for (const [at, choice] of study.attacks.entries()) {
      events({
        type: "step-progress",
        step: "timing attacks",
        id: "timing",
        done: at,
        total: study.attacks.length,
        unit: "attacks",
      });
      const parts: Part[] = [];
      for (const kind of chainOf(study, choice as Choice)) {
        const once = await part(`prior ${kind}`, (plan) => priorStep(plan.cells[at]!.prior!, kind), [kind]);
        parts.push(priors.some((p) => p.kind === kind && p.perTarget) ? forEach(once) : once);
      }
      parts.push(forEach(await part(`attack ${choice.kind} ${at}`, (plan) => plan.cells[at]!.attackStep, [])));
      costs.push({ attack: choice.kind, parts });
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return costs;
}

/** The kinds of prior that an attack rests on, the first one first. */
function chainOf(study: Study, choice: Choice): readonly string[] {
  const { prior } = chosenAttack(choice).member;
  if (prior === null) return [];
  const { member, config } = chosenPrior(listed(study, prior));
  const from = member.startsFrom?.(member.config.parse(config));
  return [...(from === undefined ? [] : [from]), prior];
}

const listed = (study: Study, kind: string): Choice =>
  (study.priors.find((prior) => prior.kind === kind) as Choice | undefined) ?? { kind };

/** A cell's prior, or the one that it starts from. */
function priorStep(prior: PlannedStep, kind: string): PlannedStep {
  return prior.needs.find(({ name }) => name === `public prior ${kind}`) ?? prior;
}

/** The study with one step for every prior but those, and few first draws for attacks that have as many as they like. */
function shortened(study: Study, full: readonly string[]): Study {
  const others = priors.map(({ kind }) => {
    const { member, config } = chosenPrior(listed(study, kind));
    return { kind, ...member.config.parse(full.includes(kind) ? config : { ...config, steps: 1 }) };
  });
  const attacks = study.attacks.map((attack) => ("draws" in attack ? { ...attack, draws: 256 } : attack));
  return { ...study, priors: others as Study["priors"], attacks: attacks as Study["attacks"] };
}

/** Seconds that a step takes, from its progress in the first few. */
async function watchStep(
  step: PlannedStep,
  { root, stepsDir, signal, seconds }: TimingOptions & { readonly root: string; readonly seconds: number },
): Promise<number> {
  const shared = { root, shipped: stepsDir };
  const silent: EventSink = () => {};
  const before = stepRunner(openStepStore({ ...shared, events: silent, signal }), () => {});
  for (const need of step.needs) await before(need);

  const enough = new AbortController();
  const begun = performance.now();
  let first: { at: number; done: number } | undefined;
  let last: { at: number; done: number; total: number } | undefined;
  const events: EventSink = (event) => {
    if (event.type !== "step-progress") return;
    const at = performance.now();
    first ??= { at, done: event.done };
    last = { at, done: event.done, total: event.total };
    if (last.done > first.done && at - first.at > seconds * 1000) enough.abort();
  };
  const store = openStepStore({ ...shared, events, signal: AbortSignal.any([signal, enough.signal]) });
  try {
    await stepRunner(store, () => {})(step);
  } catch (error) {
    if (signal.aborted || !isInterruption(error)) throw error;
  }
  const taken = (performance.now() - begun) / 1000;
  if (!enough.signal.aborted || first === undefined || last === undefined) return taken;
  const pace = (last.at - first.at) / 1000 / (last.done - first.done);
  return (first.at - begun) / 1000 + pace * (last.total - first.done);
}
