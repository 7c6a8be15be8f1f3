import { setImmediate } from "node:timers/promises";
import { UserError } from "./errors.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import type { StateDict, Store } from "./store.ts";

/** What a long computation reports to and resumes from. */
export interface Work {
  /** When aborted, the computation saves a checkpoint and throws the signal's AbortError. */
  readonly signal: AbortSignal;
  /** Tells how far it is; `unit` is what `done` and `total` count, in the plural. */
  progress(at: { done: number; total: number; unit: string; metrics?: Record<string, number> }): void;
  /** Keeps a row of training metrics. Rows after the last checkpoint are cut off when the work is resumed. */
  log(row: Record<string, number | string>): Promise<void>;
  saveCheckpoint(name: string, bytes: Uint8Array): Promise<void>;
  loadCheckpoint(name: string): Promise<Uint8Array | undefined>;
  /** Set where the work is only rehearsed, to know what it will cost: what comes of it is worthless. */
  readonly rehearsal?: Rehearsal;
  /** A folder for large intermediate results, which the work itself removes; without it they are kept in memory, or not kept. */
  readonly dir?: string;
}

/** A short run of long work: its loops take a few steps each and tell what the others would have cost. */
export interface Rehearsal {
  /** Steps that each loop takes. */
  readonly steps: number;
  /** Images that the work has asked a target about so far. */
  asked?(): number;
  /** Told of each loop that is cut short: how many steps it has left, and what one of them costs in seconds and in images asked about. */
  cut(loop: { readonly left: number; readonly seconds: number; readonly asked: number }): void;
}

/** Work that nobody watches and that is not resumed: for tests and one-off calls. */
export const unwatched: Work = {
  signal: new AbortController().signal,
  progress: () => {},
  log: async () => {},
  saveCheckpoint: async () => {},
  loadCheckpoint: async () => undefined,
};

/** A loss, or what is optimised by it, that is no longer a number. `what` says whose: `gmi: the loss`. */
export class DivergedError extends UserError {
  override readonly name = "DivergedError";
  constructor(what: string, step: number, value: number) {
    super(`${what} is ${value} at step ${step}; a lower learning rate would keep it finite`, 4);
  }
}

/** @throws DivergedError if a loss is not finite. */
export function checkFinite(what: string, step: number, loss: number): void {
  if (!Number.isFinite(loss)) throw new DivergedError(`${what}: the loss`, step, loss);
}

/** A loop of steps over a store, resumed from its last checkpoint. */
export interface Loop {
  readonly work: Work;
  /** Name of the checkpoint; loops of the same work have names of their own. */
  readonly name: string;
  /** Number of steps. */
  readonly total: number;
  /** What a step is, in the plural. */
  readonly unit: string;
  /** The tensors that steps change. */
  readonly store: Store;
  /** Numbers outside the store that steps change. */
  readonly extra?: { save(): StateDict; load(state: StateDict): void };
  /** Seconds between checkpoints; 15 by default. */
  readonly every?: number;
  /** Called once with the first step's number: opens what steps read from, and gives the step. A step's numbers go to the progress line. */
  open(first: number): Promise<(step: number) => Promise<Record<string, number>>>;
}

const STORE = "store/";
const EXTRA = "extra/";

/**
 * Runs the steps that are left. Checkpoints hold everything that steps change, so a resumed loop ends with the same numbers as an
 * unbroken one, whenever they were made.
 */
export async function runLoop({ work, name, total, unit, store, extra, every = 15, open }: Loop): Promise<void> {
  const file = `${name}.safetensors`;
  const first = restore(await work.loadCheckpoint(file), store, extra);
  const save = (step: number) => work.saveCheckpoint(file, checkpoint(step, store, extra));
  const take = await open(first);
  if (work.rehearsal !== undefined) return rehearse(work.rehearsal, take, first, total);
  let saved = performance.now();
  for (let step = first; step < total; step++) {
    if (work.signal.aborted) {
      await save(step);
      work.signal.throwIfAborted();
    }
    const metrics = await take(step);
    work.progress({ done: step + 1, total, unit, metrics });
    if (step + 1 === total || performance.now() - saved > every * 1000) {
      await save(step + 1);
      saved = performance.now();
    }
    // A session's run blocks the event loop; signals and timers get their turn here.
    await setImmediate();
  }
}

/**
 * Takes a few steps alone, spread over the loop: what it does may change on the way. The first is not measured where there are others:
 * in it the runtime allocates.
 */
async function rehearse(
  rehearsal: Rehearsal,
  take: Awaited<ReturnType<Loop["open"]>>,
  first: number,
  total: number,
): Promise<void> {
  const count = total - first;
  const taken = Math.min(count, rehearsal.steps);
  const asked = () => rehearsal.asked?.() ?? 0;
  const mark = () => ({ at: performance.now(), asked: asked() });
  let since = mark();
  for (let k = 0; k < taken; k++) {
    await take(first + Math.floor((count * k) / taken));
    if (k === 0 && taken > 1) since = mark();
  }
  if (taken === count) return;
  const measured = Math.max(1, taken - 1);
  rehearsal.cut({
    left: count - taken,
    seconds: (performance.now() - since.at) / 1000 / measured,
    asked: (asked() - since.asked) / measured,
  });
}

function checkpoint(step: number, store: Store, extra: Loop["extra"]): Uint8Array {
  const prefixed = (prefix: string, state: StateDict) =>
    Object.fromEntries(Object.entries(state).map(([name, t]) => [`${prefix}${name}`, t]));
  const state = { ...prefixed(STORE, store.snapshot()), ...prefixed(EXTRA, extra?.save() ?? {}) };
  return encodeSafetensors(state, { step: String(step) });
}

function restore(bytes: Uint8Array | undefined, store: Store, extra: Loop["extra"]): number {
  if (bytes === undefined) return 0;
  const { tensors, metadata } = decodeSafetensors(bytes, "checkpoint");
  const under = (prefix: string) =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])),
    );
  store.load(under(STORE));
  extra?.load(under(EXTRA));
  return Number(metadata.step);
}
