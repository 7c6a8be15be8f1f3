import { readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeFileAtomic } from "../src/engine/atomic-file.ts";
import { UserError } from "../src/engine/errors.ts";
import { Result, type Row } from "./result.ts";

/** Where a run that is not over keeps its finished cases. */
const UNFINISHED = "unfinished.json";

/** Everything of a result but its rows and its start: rows of different conditions do not belong into one table. */
export type Conditions = Omit<Result, "rows" | "started" | "peakGflops">;

/** A result that grows case by case, on disk after each of them. */
export interface GrowingResult {
  readonly rows: readonly Row[];
  /** The best peak rate that this or an earlier part of the run has measured. */
  readonly peakGflops: number;
  add(row: Row): Promise<void>;
  /** Gives the file its final name and returns it. The higher peak counts: on a shared machine one measurement may fall in a slow minute. */
  finish(peakGflops: number): Promise<string>;
}

/**
 * Goes on with the unfinished result in a folder where its conditions are the same, else starts one.
 * @param resumed is told how many rows an earlier run left, or that its conditions were others.
 */
export async function openResult(
  folder: string,
  conditions: Conditions,
  { now, peakGflops }: { readonly now: Date; readonly peakGflops: number },
  resumed: (what: string) => void = () => {},
): Promise<GrowingResult> {
  const path = join(folder, UNFINISHED);
  const left = await readResult(path).catch(() => undefined);
  const rows: Row[] = [];
  let started = now.toISOString();
  let peak = peakGflops;
  if (left !== undefined && sameConditions(left, conditions)) {
    rows.push(...left.rows);
    started = left.started;
    peak = Math.max(peak, left.peakGflops);
    resumed(`going on after ${rows.length} finished cases`);
  } else if (left !== undefined) {
    resumed("an unfinished run of another version, machine or selection is there; starting anew");
  }
  const result = (): Result => ({ ...conditions, started, peakGflops: peak, rows });
  return {
    rows,
    peakGflops: peak,
    async add(row) {
      rows.push(row);
      await writeFileAtomic(path, `${JSON.stringify(result(), undefined, 2)}\n`);
    },
    async finish(peakAtEnd) {
      peak = Math.max(peak, peakAtEnd);
      await writeFileAtomic(path, `${JSON.stringify(result(), undefined, 2)}\n`);
      const final = join(folder, `${started.slice(0, 16).replace(":", "")}.json`);
      await rename(path, final);
      return final;
    },
  };
}

/** Forgets what an unfinished run left. */
export async function discardUnfinished(folder: string): Promise<void> {
  await rm(join(folder, UNFINISHED), { force: true });
}

/** @throws UserError for a file that is no result of this benchmark. */
export async function readResult(path: string): Promise<Result> {
  const text = await readFile(path, "utf8");
  const parsed = Result.safeParse(asJson(text));
  if (!parsed.success)
    throw new UserError(`${path}: not a result of the benchmark: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

/** The newest finished result of the standard cases. @throws UserError where there is none. */
export async function newestResult(folder: string): Promise<{ readonly path: string; readonly result: Result }> {
  const names = (await readdir(folder).catch(() => [])).filter((n) => n.endsWith(".json") && n !== UNFINISHED);
  const read = await Promise.all(
    names.map(async (n) => ({ path: join(folder, n), result: await readResult(join(folder, n)) })),
  );
  const whole = read.filter(({ result }) => result.selection === "standard");
  const newest = whole.sort((a, b) => a.result.started.localeCompare(b.result.started)).at(-1);
  if (newest === undefined)
    throw new UserError(`${basename(folder)} has no result of all standard cases; npm run bench makes one`);
  return newest;
}

function sameConditions({ rows: _, started: __, peakGflops: ___, ...left }: Result, now: Conditions): boolean {
  return canonical(left) === canonical(now);
}

/** JSON with sorted keys, without those that are undefined. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    typeof v === "object" && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => a.localeCompare(b)))
      : v,
  );
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
