import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import type { Rehearsal } from "../engine/work.ts";
import type { EventSink, StepSource } from "./events.ts";
import { Interrupted, isInterruption } from "./interrupted.ts";
import { type Lock, waitForLock } from "./lock.ts";
import { hashFolder } from "./manifest.ts";
import { peakMemory, resetPeakMemory } from "./peak-memory.ts";
import { versions } from "./provenance.ts";
import {
  findStep,
  STEP_RECORD,
  type StepRecord,
  type StepSpec,
  stepFolder,
  stepId,
  UNFINISHED,
} from "./step-record.ts";
import { CHECKPOINTS, openUnfinished, type UnfinishedStep } from "./unfinished-step.ts";

/** What a step's body gets to work with. */
export interface StepContext {
  /** The step's unfinished folder: outputs are written here. It gets its final name when the body has returned. */
  readonly dir: string;
  /** When aborted, the body saves a checkpoint and throws `Interrupted`. */
  readonly signal: AbortSignal;
  /** Tells how far the step is; `unit` is what `done` and `total` count, in the plural. */
  progress(at: { done: number; total: number; unit: string; metrics?: Record<string, number> }): void;
  /** Keeps `bytes` under `name`, over what was kept before. All rows logged until now will stay when the step resumes. */
  saveCheckpoint(name: string, bytes: Uint8Array): Promise<void>;
  /** What was last kept under `name`, also by an earlier process; undefined where the step begins anew. */
  loadCheckpoint(name: string): Promise<Uint8Array | undefined>;
  /**
   * Appends a row to `metrics.jsonl`. Rows after the newest checkpoint of a killed process are cut off before the body goes on,
   * so a body that continues from its newest checkpoint leaves the same file as one that was never killed.
   */
  log(row: Record<string, number | string>): Promise<void>;
  /** Set where the step is only rehearsed: its outputs are worthless and its loops are cut short. */
  readonly rehearsal?: Rehearsal;
}

/** A finished step. */
export interface StepResult {
  /** The step's id, to be named in the `inputs` of steps that depend on it. */
  readonly id: string;
  /** Folder of the outputs; read-only. */
  readonly dir: string;
  /** Whether it was there already. */
  readonly reused: boolean;
  /** Wall time it took when it was computed, in seconds. */
  readonly seconds: number;
  /** The most memory that the process held while it was computed, in bytes; absent where that was not written down. */
  readonly peakMemory?: number;
}

/** How far a step is: in the store, in the package's assets, begun and resumable, or not begun. */
export type StepState = "done" | "shipped" | "resumes" | "to do";

/** Steps by content: each is computed once, and a killed one goes on from its checkpoint. */
export interface StepStore {
  /**
   * Gives the step's folder; calls `body` to fill it where it isn't finished. A second call for the same step waits for the first
   * and shares its outcome, its failure too: what failed once is not tried again for each cell that needs it. A step that another
   * process is at is waited for: several work on one study.
   * @param name what people read: `target tl-dmi, seed 1`
   * @throws Interrupted when the signal is aborted; else what the body throws. The unfinished folder then stays, for the next call
   *   to resume.
   */
  run(spec: StepSpec, name: string, body: (context: StepContext) => Promise<void>): Promise<StepResult>;
  /** How far the step is, without doing anything. */
  state(spec: StepSpec): Promise<StepState>;
}

export interface StepStoreOptions {
  /** Folder of the store; made when the first step is run. */
  readonly root: string;
  /** Further stores that are only read: finished steps that came with the package. */
  readonly shipped?: readonly string[];
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/**
 * Opens a store of steps: `<root>/<kind>-<id>/` holds a finished step's outputs and its `step.json`, `….part/` an unfinished
 * one's, `….lock` the process that is at it. A finished folder that does not fit its own manifest is removed and computed anew,
 * with a warning.
 */
export function openStepStore({ root, shipped = [], events, signal }: StepStoreOptions): StepStore {
  const asked = new Map<string, Promise<StepResult>>();

  async function state(spec: StepSpec): Promise<StepState> {
    const folder = stepFolder(spec);
    if (isWhole(await findStep(join(root, folder)))) return "done";
    for (const store of shipped) if (isWhole(await findStep(join(store, folder)))) return "shipped";
    const checkpoints = await readdir(join(root, folder + UNFINISHED, CHECKPOINTS)).catch(() => []);
    return checkpoints.length > 0 ? "resumes" : "to do";
  }

  async function reuse(spec: StepSpec, name: string, source: StepSource): Promise<StepResult | undefined> {
    const folder = stepFolder(spec);
    for (const store of source === "shipped" ? shipped : [root]) {
      const dir = join(store, folder);
      const found = await findStep(dir);
      if (found === undefined) continue;
      if (!isWhole(found)) {
        const message = `${dir} is damaged (${found.faults.join("; ")}): ${name} is computed anew`;
        events({ type: "warning", step: name, message });
        continue;
      }
      const { seconds, peakMemory } = found.record;
      events({ type: "step-finished", step: name, id: folder, source, seconds });
      return { id: stepId(spec), dir, reused: true, seconds, ...(peakMemory !== undefined && { peakMemory }) };
    }
    return undefined;
  }

  async function compute(
    spec: StepSpec,
    name: string,
    body: (context: StepContext) => Promise<void>,
    lock: Lock,
  ): Promise<StepResult> {
    const folder = stepFolder(spec);
    const dir = join(root, folder);
    const stop = AbortSignal.any([signal, lock.lost]);
    // Killed between the record and the new name: it only lacks the name.
    if (isWhole(await findStep(dir + UNFINISHED))) {
      await giveFinalName(dir);
      const finished = await reuse(spec, name, "store");
      if (finished !== undefined) return finished;
    }
    const step = await openUnfinished(dir + UNFINISHED, (why) => {
      events({ type: "warning", step: name, message: `${name} begins anew: ${why}` });
    });
    events({ type: "step-started", step: name, id: folder, resumed: step.resumed });
    await resetPeakMemory();
    try {
      await body({
        dir: step.dir,
        signal: stop,
        progress: (at) => events({ type: "step-progress", step: name, id: folder, ...at }),
        saveCheckpoint: step.saveCheckpoint,
        loadCheckpoint: step.loadCheckpoint,
        log: step.metrics.append,
      });
    } catch (error) {
      if (stop.aborted && isInterruption(error)) {
        events({ type: "step-interrupted", step: name, id: folder });
        throw error instanceof Interrupted ? error : new Interrupted(name);
      }
      events({
        type: "step-failed",
        step: name,
        id: folder,
        message: error instanceof Error ? error.message : String(error),
      });
      throw error;
    } finally {
      await step.metrics.close();
    }
    const cost = { seconds: step.seconds(), peakMemory: await peakMemory() };
    await writeRecord(step, spec, name, cost);
    // Whoever took the lock over is at the same files: only one of the two may give them their name.
    if (!(await lock.isOurs())) throw new Interrupted(name);
    await giveFinalName(dir);
    events({ type: "step-finished", step: name, id: folder, source: "run", seconds: cost.seconds });
    return { id: stepId(spec), dir, reused: false, ...cost };
  }

  async function lockStep(path: string, name: string): Promise<Lock> {
    const waiting = ({ pid, host }: { pid: number; host: string }) =>
      events({
        type: "warning",
        step: name,
        message: `${name}: waiting for process ${pid} on ${host}, which is at it`,
      });
    try {
      return await waitForLock(path, { signal, waiting });
    } catch (error) {
      throw isInterruption(error) ? new Interrupted(name) : error;
    }
  }

  async function obtain(
    spec: StepSpec,
    name: string,
    body: (context: StepContext) => Promise<void>,
  ): Promise<StepResult> {
    if (signal.aborted) throw new Interrupted(name);
    const there = (await reuse(spec, name, "store")) ?? (await reuse(spec, name, "shipped"));
    if (there !== undefined) return there;
    await mkdir(root, { recursive: true });
    const lock = await lockStep(join(root, `${stepFolder(spec)}.lock`), name);
    try {
      // Another process may have finished it between the look and the lock.
      const finished = isWhole(await findStep(join(root, stepFolder(spec))))
        ? await reuse(spec, name, "store")
        : undefined;
      return finished ?? (await compute(spec, name, body, lock));
    } finally {
      await lock.free();
    }
  }

  return {
    state,
    async run(spec, name, body) {
      const folder = stepFolder(spec);
      const first = asked.get(folder);
      if (first !== undefined) return { ...(await first), reused: true };
      const result = obtain(spec, name, body);
      asked.set(folder, result);
      return result;
    },
  };
}

function isWhole(found: Awaited<ReturnType<typeof findStep>>): found is { readonly record: StepRecord } {
  return found !== undefined && "record" in found;
}

async function writeRecord(
  step: UnfinishedStep,
  spec: StepSpec,
  name: string,
  cost: Pick<StepResult, "seconds" | "peakMemory">,
): Promise<void> {
  const record = {
    schemaVersion: 1,
    id: stepId(spec),
    name,
    spec,
    versions: versions(),
    finished: new Date().toISOString(),
    ...cost,
    files: await hashFolder(step.dir, [CHECKPOINTS, STEP_RECORD]),
  };
  await writeFileAtomic(join(step.dir, STEP_RECORD), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** From `….part` to the final name; a damaged folder of that name goes first. Checkpoints have served. */
async function giveFinalName(dir: string): Promise<void> {
  await rm(join(dir + UNFINISHED, CHECKPOINTS), { recursive: true, force: true });
  await rm(dir, { recursive: true, force: true });
  await rename(dir + UNFINISHED, dir);
}
