import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { priorKind } from "../../attacks/attack.ts";
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
import type { AttackCost, LeftOut, Part } from "./budget.ts";
import { shortAttack, type Watched } from "./short-attack.ts";

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

/** What attacks take, and those that failed before it could be seen. */
export interface Timed {
  readonly costs: readonly AttackCost[];
  readonly failed: readonly LeftOut[];
}

/**
 * What each of a study's attacks takes on this machine, from the pace of its first steps: how fast networks run does not depend on their
 * weights, so priors that others start from are trained for one step alone here. What is in the store already costs nothing. The first
 * target stands for all of them. An attack that fails here is named with its reason, and the others are timed all the same.
 */
export async function timeAttacks(options: TimingOptions): Promise<Timed> {
  const { study, data, weights, store, events, signal, seconds = 4 } = options;
  const root = await mkdtemp(join(tmpdir(), "tldmi-timing-"));
  const watch = (step: PlannedStep) => watchStep(step, { ...options, root, seconds });
  const plan = expandStudy(study, data, weights);
  const { perIdentity, identities = plan.model.classes } = study.reconstructions;
  const rows = perIdentity * Math.min(identities, plan.model.classes);
  const known = new Map<string, Part>();
  /** The cost of a step of the whole study, by a plan in which all that it rests on is short. */
  const part = async (
    name: string,
    of: (plan: StudyPlan) => PlannedStep,
    full: readonly string[],
    whole = ({ seconds }: Watched) => seconds,
  ): Promise<Part> => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const state = await store.state(of(plan).spec);
    const done = state === "done" || state === "shipped";
    const found = {
      name,
      seconds: done ? 0 : whole(await watch(of(expandStudy(shortened(study, full, rows), data, weights)))),
    };
    known.set(name, found);
    return found;
  };
  const targets = plan.targets.length;
  const forEach = ({ name, seconds }: Part): Part => ({ name, seconds: targets * seconds });
  const partsOf = async (at: number, choice: Choice): Promise<Part[]> => {
    const parts: Part[] = [];
    const short = shortAttack(choice, rows, perIdentity);
    for (const kind of chainOf(study, choice)) {
      const once = await part(`prior ${kind}`, ({ cells }) => priorStep(cells[at]!.prior!, kind), [kind]);
      parts.push(priors.some((p) => p.kind === kind && p.perTarget) ? forEach(once) : once);
    }
    const name = `attack ${choice.kind} ${at}`;
    parts.push(
      forEach(
        await part(
          name,
          ({ cells }) => cells[at]!.attackStep,
          [],
          (seen) => short.whole(seen),
        ),
      ),
    );
    return parts;
  };
  const costs: AttackCost[] = [];
  const failed: LeftOut[] = [];
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
      const attack = choice.kind;
      try {
        costs.push({ attack, parts: await partsOf(at, choice as Choice) });
      } catch (error) {
        if (signal.aborted || isInterruption(error)) throw error;
        failed.push({ attack, reason: `failed while it was timed: ${errorText(error)}` });
      }
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return { costs, failed };
}

const errorText = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The kinds of prior that an attack rests on, the first one first. */
export function chainOf(study: Pick<Study, "priors">, choice: Choice): readonly string[] {
  const { member: attack, config: keys } = chosenAttack(choice);
  const prior = priorKind(attack, keys);
  if (prior === null) return [];
  const { member, config } = chosenPrior(listed(study, prior));
  const from = member.startsFrom?.(member.config.parse(config));
  return [...(from === undefined ? [] : [from]), prior];
}

const listed = (study: Pick<Study, "priors">, kind: string): Choice =>
  (study.priors.find((prior) => prior.kind === kind) as Choice | undefined) ?? { kind };

/** A cell's prior, or the one that it starts from. */
function priorStep(prior: PlannedStep, kind: string): PlannedStep {
  return prior.needs.find(({ name }) => name === `public prior ${kind}`) ?? prior;
}

/** The study with one step for every prior but those, and attacks of which the first steps come soon. */
function shortened(study: Study, full: readonly string[], rows: number): Study {
  const others = priors.map(({ kind }) => {
    const { member, config } = chosenPrior(listed(study, kind));
    return { kind, ...member.config.parse(full.includes(kind) ? config : { ...config, steps: 1 }) };
  });
  const attacks = study.attacks.map(
    (attack) => shortAttack(attack as Choice, rows, study.reconstructions.perIdentity).keys,
  );
  return { ...study, priors: others as Study["priors"], attacks: attacks as Study["attacks"] };
}

/** Seconds after which a step that has shown no pace yet is left. */
const LONGEST = 60;

/** What a step takes, from its progress in the first few seconds. */
async function watchStep(
  step: PlannedStep,
  { root, stepsDir, signal, seconds }: TimingOptions & { readonly root: string; readonly seconds: number },
): Promise<Watched> {
  const shared = { root, shipped: [stepsDir] };
  const silent: EventSink = () => {};
  const before = stepRunner(openStepStore({ ...shared, events: silent, signal }), () => {});
  for (const need of step.needs) await before(need);

  const enough = new AbortController();
  const begun = performance.now();
  const sofar = () => (performance.now() - begun) / 1000;
  const loops: Loop[] = [];
  const events: EventSink = (event) => {
    if (event.type !== "step-progress") return;
    const { done, total } = event;
    const known = loops.at(-1);
    if (known?.total !== total) {
      loops.push({ total, from: done, begun: sofar(), done, at: sofar() });
      return;
    }
    Object.assign(known, { done, at: sofar() });
    if (sofar() - known.begun > seconds || sofar() > LONGEST) enough.abort();
  };
  const store = openStepStore({ ...shared, events, signal: AbortSignal.any([signal, enough.signal]) });
  try {
    await stepRunner(store, () => {})(step);
  } catch (error) {
    if (signal.aborted || !isInterruption(error)) throw error;
  }
  const [first, last] = [loops[0], loops.at(-1)];
  const pace = last === undefined ? 0 : paceOf(last);
  return {
    seconds: enough.signal.aborted && last !== undefined ? last.begun + pace * (last.total - last.from) : sofar(),
    pace,
    firstPace: first === undefined ? 0 : paceOf(first),
  };
}

/** A loop of a step as its progress shows it: its turns are counted, times are in seconds since the step began. */
interface Loop {
  readonly total: number;
  /** Turns that were done when it was first heard of. */
  readonly from: number;
  readonly begun: number;
  done: number;
  at: number;
}

/** Seconds of a turn; of a loop that was over with its first sign of life, all that went before. */
const paceOf = ({ from, begun, done, at }: Loop) => (done > from ? (at - begun) / (done - from) : begun / done);
