import type { BenchCase } from "./case.ts";
import { roughFlops } from "./flops.ts";
import { allocators, formsOf, type Peer } from "./peer.ts";

/** How much time the measurements of a run get. */
export interface Allotment {
  /** Seconds of taking turns with each form of the peer, or of measuring alone. */
  readonly seconds: number;
  /** For so many of the cases that are compiled, from the first on, there is time for torch.compile. */
  readonly compile: number;
}

/** A case before it is run. */
export interface Planned {
  readonly id: string;
  /** Processes of the peer, one for each form and allocator. */
  readonly forms: number;
  /** How many of them compile. */
  readonly compiled: number;
  /** Seconds in all. */
  readonly seconds: number;
}

/** Minutes of a run where nobody says. */
export const DEFAULT_BUDGET = 25;
/** With so many, every case that may be compiled is: what the published table is measured with. */
export const COMPILING_BUDGET = 45;

/** A turn with a form takes at least and at most so long. */
const LEAST = 2.5;
const MOST = 10;

// Seconds on two cores of 2020 that nothing else uses; a case that takes longer leaves less to those behind it.
const PREPARE = 3;
const OURS = 2;
const THEIRS = 4;
/** torch.compile of a training step, and once more where the compiled code is found in its cache. */
const COMPILE = 80;
const COMPILED = 25;
const START_UP = 8;
/** Writing and checking a hundred thousand images of 64×64. */
const PER_IMAGE = 1.2e-4;
/** Runs of our side under the profiler, with its check, where a goal is missed: a plan takes it that each is. */
const PROFILED = 5;
/** Rounds that every measurement has, and the runs before it, of each side at this rate. */
const ROUNDS = 4.5;
const RATE = 190e9;

/** What a case costs beside the seconds that are allotted, and how many measurements those are for. */
function costOf(benchCase: BenchCase, step: number, peer: Peer | undefined, compile: boolean) {
  const { spec } = benchCase;
  if (spec.kind === "start") return { forms: 0, compiled: 0, measurements: 0, fixed: START_UP, step };
  const images = "images" in spec ? spec.images * PER_IMAGE : 0;
  const { tuned, default: installed, peak } = benchCase.goals;
  const profile = [tuned, installed, peak].some((goal) => goal !== undefined) ? OURS + PROFILED * step : 0;
  const base = PREPARE + OURS + images + profile;
  if (!benchCase.peer || peer === undefined) return { forms: 0, compiled: 0, measurements: 1, fixed: base, step };
  const tried = formsOf(benchCase, peer, compile).filter(([, reason]) => reason === undefined);
  const kept = allocators().length;
  const compiled = tried.some(([form]) => form === "compile") ? kept : 0;
  const forms = tried.length * kept;
  const compiling = compiled > 0 ? COMPILE + (compiled - 1) * COMPILED : 0;
  return { forms, compiled, measurements: forms, fixed: base + forms * THEIRS + compiling, step: 2 * step };
}

/**
 * Shares the time that is left among cases: torch.compile first goes where there is not enough, then measurements become as short as
 * they may be.
 */
export function allot(left: readonly BenchCase[], peer: Peer | undefined, secondsLeft: number): Allotment {
  const steps = stepsOf(left);
  const spender = (compile: number) => {
    const costs = costsOf(left, steps, peer, compile);
    const fixed = costs.reduce((sum, c) => sum + c.fixed, 0);
    // Where least rounds alone take longer than what is allotted, they are what is spent.
    return (seconds: number) =>
      costs.reduce((sum, c) => sum + c.measurements * Math.max(seconds, leastSeconds(c.step)), fixed);
  };
  let compile = left.filter(({ compiled }) => compiled).length;
  while (compile > 0 && spender(compile)(LEAST) > secondsLeft) compile--;
  const spent = spender(compile);
  let [seconds, above] = [LEAST, MOST];
  for (let i = 0; i < 20; i++) {
    const middle = (seconds + above) / 2;
    if (spent(middle) <= secondsLeft) seconds = middle;
    else above = middle;
  }
  return { seconds, compile };
}

/** What a measurement takes at least. @param step seconds of a step of all sides that take turns */
const leastSeconds = (step: number) => ROUNDS * step;

/** Seconds of one side's step of each case. */
const stepsOf = (cases: readonly BenchCase[]) =>
  cases.map(({ spec }) => (spec.kind === "start" ? 0 : roughFlops(spec) / RATE));

/** The costs of cases of which the first `compile` that may be compiled are. */
function costsOf(cases: readonly BenchCase[], steps: readonly number[], peer: Peer | undefined, compile: number) {
  let left = compile;
  return cases.map((benchCase, i) => {
    const cost = costOf(benchCase, steps[i]!, peer, left > 0);
    if (cost.compiled > 0) left--;
    return cost;
  });
}

/** What each case will take with an allotment. */
export function planned(selected: readonly BenchCase[], peer: Peer | undefined, allotment: Allotment): Planned[] {
  return costsOf(selected, stepsOf(selected), peer, allotment.compile).map(
    ({ forms, compiled, measurements, fixed, step }, i) => {
      const seconds = fixed + measurements * Math.max(allotment.seconds, leastSeconds(step));
      return { id: selected[i]!.id, forms, compiled, seconds };
    },
  );
}

/** The plan as a table for people, with its sum. */
export function planText(plan: readonly Planned[], { seconds, compile }: Allotment, budget: number): string {
  const lines = plan.map(
    (p) =>
      `${p.id.padEnd(44)}${String(p.forms).padStart(6)}${String(p.compiled).padStart(9)}${p.seconds.toFixed(0).padStart(9)}`,
  );
  const total = plan.reduce((sum, p) => sum + p.seconds, 0) / 60;
  const head = `${"case".padEnd(44)}${"forms".padStart(6)}${"compiled".padStart(9)}${"seconds".padStart(9)}`;
  const over = total > budget ? "; more than the budget, with every measurement as short as it may be" : "";
  return `${[head, ...lines].join("\n")}\n\n${plan.length} cases, ${total.toFixed(1)} of ${budget} minutes${over}; ${seconds.toFixed(1)} s for each form of PyTorch, torch.compile in ${compile} cases\n`;
}
