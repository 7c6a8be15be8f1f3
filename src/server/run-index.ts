import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { atOnce } from "../engine/at-once.ts";
import { RUN_RECORD, RunRecord } from "../study/run-record.ts";
import type { RunList, RunRow } from "./api.ts";
import type { Confined } from "./confined.ts";

/** Where studies written on the page lie, within the runs folder; each bears the name of its study's folder. */
export const STUDIES = "studies";

/** Milliseconds after which a RUNNING record without a new heartbeat (one comes every ten seconds) belongs to a dead process. */
const LOST_AFTER = 120_000;
/** Rows an answer holds at most. */
const PAGE = 100;
/** Folders of the runs folder that hold no runs. */
const NO_RUNS = new Set(["steps", "cache", STUDIES]);

/** What to list. */
export interface RunQuery {
  /** Words that must all be in a run's name, id or state, whatever their case. */
  readonly q?: string;
  readonly state?: string;
  readonly kind?: string;
  readonly from?: number;
}

/** The records of a runs folder, each read again only when its file has changed. */
export interface RunIndex {
  list(query: RunQuery): Promise<RunList>;
  /** One run by its id; undefined where there is no readable record. */
  find(id: string): Promise<RunRow | undefined>;
}

/** @param readText reads a record; tests count its calls */
export function openRunIndex(
  runs: Confined,
  readText: (file: string) => Promise<string> = (file) => readFile(file, "utf8"),
): RunIndex {
  const known = new Map<string, { readonly stamp: string; readonly record: RunRecord | undefined }>();

  async function recordOf(id: string): Promise<RunRecord | undefined> {
    const [study, cell] = id.split("/");
    const file = join(runs.root, study!, ...(cell === undefined ? [] : ["cells", cell]), RUN_RECORD);
    const found = await lstat(file).catch(() => undefined);
    if (found?.isFile() !== true) {
      known.delete(id);
      return undefined;
    }
    const stamp = `${found.mtimeMs} ${found.size} ${found.ino}`;
    const before = known.get(id);
    if (before?.stamp === stamp) return before.record;
    const record = parse(await readText(file).catch(() => ""));
    known.set(id, { stamp, record });
    return record;
  }

  async function ids(): Promise<string[]> {
    const studies = (await runs.folders()).filter((name) => !NO_RUNS.has(name));
    const cells = await atOnce(studies, async (study) =>
      (await runs.folders(study, "cells")).map((cell) => `${study}/${cell}`),
    );
    return [...studies, ...cells.flat()];
  }

  return {
    async list({ q = "", state = "", kind = "", from = 0 }) {
      const all = await ids();
      const rows = (
        await atOnce(all, async (id) => {
          const record = await recordOf(id);
          return record === undefined ? [] : [rowOf(id, record)];
        })
      ).flat();
      const there = new Set(all);
      for (const id of known.keys()) if (!there.has(id)) known.delete(id);
      // Written on the page, and not begun yet.
      const written = (await runs.files(STUDIES)).flatMap((file) => /^(?!check-)(.+)\.yaml$/.exec(file)?.[1] ?? []);
      rows.push(...written.filter((id) => !there.has(id)).map(notBegun));
      const words = q
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => word !== "");
      const fitting = rows.filter((row) => {
        const text = `${row.id} ${row.name} ${row.state}`.toLowerCase();
        if (state !== "" && row.state !== state) return false;
        if (kind !== "" && row.kind !== kind) return false;
        return words.every((word) => text.includes(word));
      });
      fitting.sort((a, b) => b.started.localeCompare(a.started) || a.id.localeCompare(b.id));
      return { total: rows.length, matched: fitting.length, rows: fitting.slice(from, from + PAGE) };
    },
    async find(id) {
      const [study = "", cell] = id.split("/");
      const dir = await runs.path(study, ...(cell === undefined ? [] : ["cells", cell]));
      const record = dir === undefined ? undefined : await recordOf(id);
      return record === undefined ? undefined : rowOf(id, record);
    },
  };
}

/** A study that has a file and no run. */
export function notBegun(id: string): RunRow {
  return { id, kind: "study", name: id, state: "QUEUED", started: "", attempts: 0 };
}

function parse(text: string): RunRecord | undefined {
  try {
    return RunRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function rowOf(id: string, record: RunRecord): RunRow {
  const { kind, name, status, started, heartbeat, ended, attempts, seed, error } = record;
  const lost = status === "RUNNING" && Date.now() - Date.parse(heartbeat) > LOST_AFTER;
  return {
    id,
    kind,
    name,
    state: lost ? "LOST" : status,
    started,
    attempts,
    ...(ended !== undefined && { ended }),
    ...(seed !== undefined && { seed }),
    ...(error !== undefined && { error }),
  };
}
