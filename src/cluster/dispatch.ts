import { setTimeout } from "node:timers/promises";
import { atOnce } from "../engine/at-once.ts";
import { UserError } from "../engine/errors.ts";
import type { EventSink } from "../study/events.ts";
import { Interrupted } from "../study/interrupted.ts";
import { stepFolder } from "../study/step-record.ts";
import type { PlannedStep } from "../study/steps/planned.ts";
import { openInbox } from "./inbox.ts";
import type { QueuedStep, QueueEvent, StepDispatch } from "./queue.ts";
import type { FinishedStep, FinishedSteps } from "./run-store.ts";
import { type StepPlace, stepGraph } from "./step-graph.ts";

/** Milliseconds between two looks at what the queue and the store hold, whatever was or wasn't heard; longer where a look takes long. */
const LOOK = 5000;
const LOOK_SHARE = 10;
/** Milliseconds until a server that answered with an error is asked again, and those that it has to hear that a grid is cancelled. */
const AWAY = 1000;
const LEAVE = 5000;
/** A grid's thousand priorities are so many waves of chains of so many steps; what lies beyond is as urgent as the last. */
const WAVES = 99;
const HEIGHTS = 9;

const urgency = ({ wave, height }: StepPlace): number =>
  (HEIGHTS + 1) * Math.max(0, WAVES - wave) + Math.min(HEIGHTS, height);

export interface DispatchOptions {
  readonly queue: StepDispatch;
  /** Every step of the plan. */
  readonly steps: readonly PlannedStep[];
  /** The steps that are asked for: they and what they rest on are done, a wave before the next as far as workers have enough to do. */
  readonly waves: readonly (readonly PlannedStep[])[];
  /** What the run store says of finished steps. */
  readonly finished: FinishedSteps;
  readonly grid: string;
  /** 1 to 1000; lower numbers go first. */
  readonly priority: number;
  readonly events: EventSink;
  /** Told of each step that is asked for once it is done or will not be, and before that of each step that failed. */
  readonly outcome?: {
    failed(step: PlannedStep, message: string): void;
    ended(step: PlannedStep): void;
  };
  readonly signal: AbortSignal;
  /** Milliseconds between two looks. */
  readonly look?: number;
}

/**
 * Has the queue's workers do all steps, each once what it needs is done: those of earlier waves first, of these the ones with the longest
 * chain behind them. The store alone says what is done. The queue is asked again every few seconds, and what it has lost is added anew: its
 * server may be killed, or emptied.
 * @throws Interrupted when the signal is aborted; steps that no worker has begun are taken out of the queue first.
 */
export async function dispatch(options: DispatchOptions): Promise<void> {
  const { queue, grid, events, signal, finished, priority, look = LOOK } = options;
  const before = await finished.names?.();
  const graph = await stepGraph(options.waves, async (step) => {
    const found = await find(step, before);
    if (found === undefined) return false;
    events({ type: "step-finished", step: step.name, id: stepFolder(step.spec), ...found });
    return true;
  });
  const ends = new Map(options.waves.flat().map((step) => [stepFolder(step.spec), step]));
  for (const id of ends.keys()) tellEnd(id);
  const byId = new Map(options.steps.map((step) => [stepFolder(step.spec), step]));
  const released = new Set<string>();
  const inbox = openInbox<QueueEvent>(signal);
  let underWay: Promise<void> = Promise.resolve();
  const stop = await queue.watch(inbox.put);
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    await asked(async () => {
      await forgetFailures();
      await release(graph.ready());
    });
    let lookAt = performance.now() + look;
    while (graph.left() > 0 && !signal.aborted) {
      for (const event of await inbox.take(Math.max(0, lookAt - performance.now()))) await asked(() => take(event));
      if (performance.now() < lookAt) continue;
      const began = performance.now();
      await asked(async () => {
        const names = await finished.names?.();
        await atOnce([...released], (id) => lookAfter(id, names));
        await tellState();
      });
      const took = performance.now() - began;
      lookAt = performance.now() + Math.max(look, LOOK_SHARE * took);
    }
  } finally {
    // A server that is away need not hear of it: workers see in the folder of runs that the grid has ended.
    const leave = async () => {
      await underWay;
      await stop();
      if (signal.aborted) await atOnce([...released], (id) => queue.remove(id));
    };
    await Promise.race([leave().catch(() => undefined), setTimeout(LEAVE, undefined, { ref: false })]);
  }
  if (signal.aborted) throw new Interrupted(`the grid ${grid}`);

  async function take(event: QueueEvent): Promise<void> {
    // Another grid's steps go through the same queue.
    if (!graph.isOpen(event.id)) return;
    if (event.type === "progress") {
      // How far single steps are, and what is told of all of them at their end, is the grid's own to say.
      if (event.event.type !== "step-progress" && event.event.type !== "step-finished") events(event.event);
    } else if (event.type === "silent") {
      const step = byId.get(event.id)!.name;
      events({ type: "warning", step, message: `${step}: its worker fell silent; another takes it over` });
    } else {
      await lookAfter(event.id);
      await tellState();
    }
  }

  /** Brings the graph to what store and queue say of a step that was released, and adds it anew where neither has it. */
  async function lookAfter(id: string, names?: ReadonlySet<string>): Promise<void> {
    if (!graph.isOpen(id)) return;
    const step = byId.get(id)!;
    const found = await find(step, names);
    if (found !== undefined) {
      released.delete(id);
      const next = graph.finish(id);
      tellEnd(id);
      events({ type: "step-finished", step: step.name, id, source: "run", seconds: found.seconds });
      await release(next);
      return;
    }
    const queued = await queue.look(id);
    if (queued.state === "failed") {
      released.delete(id);
      graph.fail(id);
      options.outcome?.failed(step, queued.message);
      for (const end of [...ends.keys()]) tellEnd(end);
    } else if (queued.state === "absent") {
      await release([step]);
    }
  }

  function tellEnd(id: string): void {
    const end = ends.get(id);
    if (end === undefined || graph.isOpen(id)) return;
    ends.delete(id);
    options.outcome?.ended(end);
  }

  /** Asks the queue something until it answers or the signal is aborted; what an error leaves undone, the next look finds. */
  async function asked(work: () => Promise<void>): Promise<void> {
    const working = work();
    underWay = working.catch(() => undefined);
    try {
      await Promise.race([working, aborted]);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const who = error instanceof UserError ? message : `the queue does not answer (${message})`;
      events({ type: "warning", message: `${who}; trying again` });
      await setTimeout(AWAY, undefined, { ref: false });
    }
  }

  async function release(ready: readonly PlannedStep[]): Promise<void> {
    if (ready.length === 0 || signal.aborted) return;
    for (const step of ready) released.add(stepFolder(step.spec));
    await queue.add(ready.map(queued));
  }

  function queued(step: PlannedStep): QueuedStep {
    const id = stepFolder(step.spec);
    return { id, name: step.name, grid, priority: 1000 * priority - urgency(graph.place(id)) };
  }

  /** What failed in an earlier attempt gets another. */
  async function forgetFailures(): Promise<void> {
    await atOnce([...byId.keys()], async (id) => {
      if (graph.isOpen(id) && (await queue.look(id)).state === "failed") await queue.remove(id);
    });
  }

  async function tellState(): Promise<void> {
    const { running, waiting, workers } = await queue.counts();
    const step = `${workers} ${workers === 1 ? "worker" : "workers"}, ${running} running, ${waiting} waiting`;
    events({ type: "step-progress", step, id: "grid", done: graph.done(), total: graph.size, unit: "steps" });
  }

  /** A step that is finished; undefined for one that isn't there whole. */
  async function find({ spec }: PlannedStep, names?: ReadonlySet<string>): Promise<FinishedStep | undefined> {
    const folder = stepFolder(spec);
    return names === undefined || names.has(folder) ? finished.find(folder) : undefined;
  }
}
