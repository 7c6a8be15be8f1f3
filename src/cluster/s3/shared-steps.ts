import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { assetsFolder } from "../../study/assets.ts";
import { Interrupted, isInterruption } from "../../study/interrupted.ts";
import { waitForLock } from "../../study/lock.ts";
import {
  findStep,
  STEP_RECORD,
  StepRecord,
  type StepSpec,
  stepFolder,
  stepId,
  UNFINISHED,
} from "../../study/step-record.ts";
import { openStepStore, type StepContext, type StepStore } from "../../study/step-store.ts";
import type { OpenStepsOptions } from "../run-store.ts";
import { type Bucket, DamagedObject } from "./bucket.ts";
import { StoreError } from "./failure.ts";
import { getParcel, type Parcel, putParcel, recordKey, removeParcel } from "./parcel.ts";
import { furtherProgress, progressKey, progressParcel } from "./progress.ts";

/** Milliseconds between two uploads of a step's progress, and the share of the time that they may take. */
const PROGRESS_EVERY = 60_000;
const PROGRESS_SHARE = 20;
/** Milliseconds until a server that is away is asked again; they double, up to the longest. */
const AWAY = { first: 1000, longest: 30_000 };

/** Where a finished step is kept. */
export function stepKey(folder: string): string {
  return `steps/${folder}`;
}

/** What a step's record in the bucket says; undefined for one that is not of that step. */
export function parseStepRecord(bytes: Uint8Array, folder: string): StepRecord | undefined {
  try {
    const { data } = StepRecord.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
    return data !== undefined && stepId(data.spec) === data.id && stepFolder(data.spec) === folder ? data : undefined;
  } catch {
    return undefined;
  }
}

/** What a store of shared steps is opened with. */
export interface SharedStepsOptions extends OpenStepsOptions {
  /** The folder in which steps are computed, and to which finished ones are brought. */
  readonly runsDir: string;
  readonly bucket: Bucket;
  /** Milliseconds between two uploads of a step's progress. */
  readonly progressEvery?: number;
}

/**
 * A store of steps in a folder of this machine that is one with a bucket's: what is finished in the bucket is brought when it is asked for,
 * what is computed here is put there whole, and its checkpoints every minute. A server that is away is waited for. Two machines may compute
 * the same step, where a queue lost one of them out of sight; the first to finish is whose outcome stays.
 */
export function openSharedSteps(options: SharedStepsOptions): StepStore {
  const { runsDir, bucket, progressEvery = PROGRESS_EVERY, ...rest } = options;
  const { events, signal } = rest;
  const root = join(runsDir, "steps");
  const inner = openStepStore({ ...rest, root, shipped: [assetsFolder] });
  /** Folders of steps that are in the bucket for sure. */
  const there = new Set<string>();

  /** Asks the server until it answers; what it refuses is thrown. */
  async function patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let delay = AWAY.first; ; delay = Math.min(2 * delay, AWAY.longest)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StoreError && error.passing)) throw error;
        if (delay === AWAY.first) events({ type: "warning", message: `${error.message}; trying again` });
        await setTimeout(delay, undefined, { signal });
      }
    }
  }

  /** Brings the step, or else its progress, unless it is here; nobody else on this machine does so meanwhile. */
  async function bring(folder: string): Promise<void> {
    const dir = join(root, folder);
    await mkdir(root, { recursive: true });
    const lock = await waitForLock(`${dir}.lock`, { signal, waiting: () => {} });
    try {
      const here = await findStep(dir);
      if (here !== undefined && "record" in here) return;
      if (await bringStep(folder, dir)) return;
      const progress = await furtherProgress(bucket, folder, dir + UNFINISHED);
      if (progress !== undefined) await unpack(progressKey(folder), dir + UNFINISHED, progress);
    } finally {
      await lock.free();
    }
  }

  async function bringStep(folder: string, dir: string): Promise<boolean> {
    const key = stepKey(folder);
    const record = await bucket.get(recordKey(key));
    if (record === undefined) return false;
    const files = parseStepRecord(record, folder)?.files;
    const whole =
      files === undefined
        ? damaged(`${bucket.nameOf(recordKey(key))} is no record of this step`)
        : await unpack(key, dir, { files, record }, STEP_RECORD);
    if (whole) there.add(folder);
    else await removeParcel(bucket, key);
    return whole;
  }

  /** Brings a parcel to a folder, which gets its name when all is there; false, with a warning, where the parcel is damaged. */
  async function unpack(key: string, dir: string, parcel: Omit<Parcel, "dir">, recordFile?: string): Promise<boolean> {
    const coming = join(runsDir, "incoming", key.replaceAll("/", "-"));
    await rm(coming, { recursive: true, force: true });
    await mkdir(coming, { recursive: true });
    try {
      await getParcel(bucket, key, { ...parcel, dir: coming });
    } catch (error) {
      await rm(coming, { recursive: true, force: true });
      if (error instanceof DamagedObject) return damaged(error.message);
      throw error;
    }
    if (recordFile !== undefined) await writeFile(join(coming, recordFile), parcel.record);
    await rm(dir, { recursive: true, force: true });
    await rename(coming, dir);
    return true;
  }

  function damaged(message: string): false {
    events({ type: "warning", message: `${message}: what it belongs to is computed anew` });
    return false;
  }

  /** Puts a finished step where the bucket hasn't got it, and removes its progress. */
  async function hand(folder: string): Promise<void> {
    if (there.has(folder)) return;
    const key = stepKey(folder);
    if ((await bucket.get(recordKey(key))) === undefined) {
      const dir = join(root, folder);
      const found = await findStep(dir);
      if (found === undefined || "faults" in found) throw new Error(`${dir} was whole a moment ago`);
      const record = await readFile(join(dir, STEP_RECORD));
      await putParcel(bucket, key, { dir, files: found.record.files, record });
      await removeParcel(bucket, progressKey(folder));
    }
    there.add(folder);
  }

  /** A body's context whose checkpoints also go to the bucket, now and then; `save` puts the newest of them whatever the time. */
  function shared(context: StepContext, folder: string): { readonly context: StepContext; save(): Promise<void> } {
    let next = performance.now() + progressEvery;
    let stale = false;
    const save = async () => {
      if (!stale) return;
      const began = performance.now();
      try {
        const parcel = await progressParcel(context.dir);
        if (parcel !== undefined) await putParcel(bucket, progressKey(folder), parcel, true);
        stale = false;
      } catch (error) {
        // Without it another machine would begin anew: no reason to stop here.
        if (!(error instanceof StoreError)) throw error;
        events({ type: "warning", message: `${error.message}; the checkpoint stays on this machine alone` });
      }
      const now = performance.now();
      next = now + Math.max(progressEvery, PROGRESS_SHARE * (now - began));
    };
    return {
      save,
      context: {
        ...context,
        async saveCheckpoint(name, bytes) {
          await context.saveCheckpoint(name, bytes);
          stale = true;
          if (performance.now() >= next) await save();
        },
      },
    };
  }

  const isHere = async (spec: StepSpec) => {
    const state = await inner.state(spec);
    return state === "done" || state === "shipped";
  };

  return {
    async state(spec) {
      if (!(await isHere(spec))) await patiently(() => bring(stepFolder(spec)));
      return inner.state(spec);
    },
    async run(spec, name, body) {
      const folder = stepFolder(spec);
      try {
        if (!(await isHere(spec))) await patiently(() => bring(folder));
        const result = await inner.run(spec, name, async (context) => {
          const { context: sharedContext, save } = shared(context, folder);
          try {
            await body(sharedContext);
          } catch (error) {
            if (isInterruption(error)) await save();
            throw error;
          }
        });
        if (result.dir === join(root, folder)) await patiently(() => hand(folder));
        return result;
      } catch (error) {
        throw isInterruption(error) && !(error instanceof Interrupted) ? new Interrupted(name) : error;
      }
    },
  };
}
