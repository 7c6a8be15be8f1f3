import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { removeTemporaryFiles, writeFileAtomic } from "../engine/atomic-file.ts";
import type { JsonValue } from "./canonical.ts";
import { type EventSink, eventFile } from "./events.ts";
import { isInterruption } from "./interrupted.ts";
import { takeLock } from "./lock.ts";
import { hashFolder } from "./manifest.ts";
import { type Provenance, versions } from "./provenance.ts";
import { findRunRecord, RUN_RECORD, type RunRecord } from "./run-record.ts";

/** Files of a run folder, beside `run.json`. */
export const CONFIG_FILE = "config.yaml";
export const EVENTS_FILE = "events.jsonl";
export const RESULT_FILE = "result.json";
export const ARTIFACTS = "artifacts";
export const REPORT = "report";
export const MANIFEST = "manifest.json";
const LOCK = "run.lock";
/** What a run's manifest leaves out: the report can be built again with other options, and the record is written after the manifest. */
export const UNLISTED: readonly string[] = [RUN_RECORD, MANIFEST, REPORT, LOCK];
const HEARTBEAT_MS = 10_000;

/** A run on disk while it goes on. */
export interface RunFolder {
  readonly dir: string;
  /** `<dir>/artifacts`, made already. */
  readonly artifacts: string;
  /** Appends to the run's `events.jsonl`. */
  readonly events: EventSink;
  /** Writes a JSON file such as `result.json` into the folder. */
  writeJson(name: string, value: JsonValue): Promise<void>;
  /** The record as it stands. */
  record(): RunRecord;
  /** Notes something in the record and writes it. */
  note(change: Partial<Pick<RunRecord, "steps" | "seed">>): Promise<void>;
  /** Ends the heartbeat and writes the manifest, then the final record: a COMPLETED run has everything in place. */
  finish(status: "COMPLETED" | "FAILED" | "INTERRUPTED", error?: string): Promise<RunRecord>;
}

/** What a run is begun with. */
export interface RunFolderOptions {
  readonly dir: string;
  readonly kind: "study" | "cell";
  readonly name: string;
  readonly seed?: number;
  /** Folder of the study that a cell belongs to, relative to `dir`. */
  readonly study?: string;
  /** Everything resolved, defaults included. */
  readonly config: JsonValue;
  readonly machine: Provenance;
}

/**
 * Makes a run's folder, or opens the one that an earlier attempt left: its start and its count of attempts go on, its manifest
 * and result of before are removed, as is what it was writing when it was killed. The record's heartbeat is renewed every ten
 * seconds until `finish`.
 * @throws UserError where another running process has the folder.
 */
export async function openRunFolder(options: RunFolderOptions): Promise<RunFolder> {
  const { dir, kind, name, seed, study, config, machine } = options;
  const artifacts = join(dir, ARTIFACTS);
  await mkdir(artifacts, { recursive: true });
  const lock = await takeLock(join(dir, LOCK), name);
  const earlier = await findRunRecord(dir);
  const now = new Date().toISOString();
  let record: RunRecord = {
    schemaVersion: 1,
    kind,
    name,
    status: "RUNNING",
    started: earlier?.started ?? now,
    heartbeat: now,
    attempts: (earlier?.attempts ?? 0) + 1,
    ...(seed === undefined ? {} : { seed }),
    ...(study === undefined ? {} : { study }),
    versions: versions(),
    machine: { ...machine },
  };
  // One write at a time, so that a slow heartbeat cannot land after the final record.
  let queue: Promise<void> = Promise.resolve();
  const write = (change: Partial<RunRecord>): Promise<void> => {
    record = { ...record, ...change };
    const text = json(record);
    const written = queue.then(() => writeFileAtomic(join(dir, RUN_RECORD), text));
    queue = written.catch(() => undefined);
    return written;
  };

  for (const folder of [dir, artifacts]) await removeTemporaryFiles(folder);
  for (const stale of [MANIFEST, RESULT_FILE]) await rm(join(dir, stale), { force: true });
  await write({});
  await writeFileAtomic(join(dir, CONFIG_FILE), stringify(config));
  const heartbeat = setInterval(() => {
    // A heartbeat that cannot be written is no reason to stop: what must be written says so itself.
    write({ heartbeat: new Date().toISOString() }).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();

  return {
    dir,
    artifacts,
    events: eventFile(join(dir, EVENTS_FILE)),
    writeJson: (file, value) => writeFileAtomic(join(dir, file), json(value)),
    record: () => record,
    note: write,
    async finish(status, error) {
      clearInterval(heartbeat);
      // A heartbeat on its way has a temporary file here, which is no part of the run.
      await queue;
      const files = await hashFolder(dir, UNLISTED);
      await writeFileAtomic(join(dir, MANIFEST), json({ schemaVersion: 1, files }));
      const ended = new Date().toISOString();
      await write({ status, ended, heartbeat: ended, ...(error === undefined ? {} : { error }) });
      await lock.free();
      return record;
    },
  };
}

/**
 * Does `work` in a run's folder and finishes the run as it went: COMPLETED, INTERRUPTED or FAILED with the message.
 * @throws what `work` throws.
 */
export async function finishRun<T>(run: RunFolder, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await run.finish(
      isInterruption(error) ? "INTERRUPTED" : "FAILED",
      error instanceof Error ? error.message : String(error),
    );
    throw error;
  }
  await run.finish("COMPLETED");
  return result;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
