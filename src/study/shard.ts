import { join, resolve } from "node:path";
import { setThreads } from "../engine/runtime.ts";
import { assetsFolder } from "./assets.ts";
import { attackName, defenseName } from "./entry-labels.ts";
import type { EventSink } from "./events.ts";
import { isInterruption } from "./interrupted.ts";
import { labelsOf } from "./plan/cells.ts";
import { inOrder } from "./plan/in-order.ts";
import { expandStudy } from "./plan.ts";
import { loadData, loadWeights, readStudy } from "./read-study.ts";
import type { FailedCell } from "./result.ts";
import { openStepStore } from "./step-store.ts";
import { stepRunner } from "./steps/planned.ts";
import { studyFolder } from "./study-folder.ts";

/** One part of a study's cells: part `index` of `count`, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** What a shard did. Its steps are in the store; the study's result is made of all shards' by a run of the whole study. */
export interface ShardResult {
  readonly schemaVersion: 1;
  readonly study: string;
  readonly shard: string;
  /** Cells of this shard. */
  readonly cells: number;
  /** Cells of the whole study. */
  readonly of: number;
  readonly failed: readonly FailedCell[];
}

/**
 * Computes the steps of one shard's cells. Shards on any machines that share the folder of runs need no word with each other: which
 * cells are whose follows from the cells' content ids, and a step that two need is computed by one while the other waits.
 * A cell that fails is recorded and the others go on.
 * @throws UserError for a study that cannot be run; Interrupted when the signal is aborted.
 */
export async function runShard(options: {
  readonly studyFile: string;
  readonly runsDir: string;
  readonly shard: Shard;
  readonly threads: number;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}): Promise<{ result: ShardResult; studyDir: string }> {
  const { shard, threads, events, signal } = options;
  const runsDir = resolve(options.runsDir);
  setThreads(threads);
  const read = await readStudy(options.studyFile);
  const { study } = read;
  const plan = expandStudy(
    study,
    await loadData(read, join(runsDir, "cache"), events, signal),
    await loadWeights(read),
  );
  const cells = cellsOf(plan.cells, shard);
  // The probe belongs to no cell: the first shard takes it along.
  const probe = shard.index === 1 && plan.linearProbe ? [plan.linearProbe] : [];
  const steps = inOrder([...probe, ...cells.map((cell) => cell.evaluation)]).length;
  events({ type: "study-started", study: study.name, cells: cells.length, steps });
  const store = openStepStore({ root: join(runsDir, "steps"), shipped: [assetsFolder], events, signal });
  const run = stepRunner(store, () => {});
  for (const step of probe) {
    // As in a whole run, a failed probe is only missing from the notes.
    await run(step).catch((error: unknown) => {
      if (isInterruption(error)) throw error;
    });
  }
  const failed: FailedCell[] = [];
  for (const cell of cells) {
    const labels = labelsOf(cell);
    const of = { defense: defenseName(labels), attack: attackName(labels), seed: cell.seed };
    try {
      await run(cell.evaluation);
      events({ type: "cell-finished", ...of, status: "done" });
    } catch (error) {
      if (isInterruption(error)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      failed.push({ ...labels, seed: cell.seed, message });
      events({ type: "cell-finished", ...of, status: "failed", message });
    }
  }
  events({ type: "study-finished", study: study.name, status: failed.length > 0 ? "partial" : "done" });
  const name = `${shard.index}/${shard.count}`;
  return {
    result: {
      schemaVersion: 1,
      study: study.name,
      shard: name,
      cells: cells.length,
      of: plan.cells.length,
      failed,
    },
    studyDir: studyFolder(runsDir, study),
  };
}

/** A shard's cells: every `count`-th in the order of their content ids, so that shards differ by one cell at most. */
export function cellsOf<Cell extends { readonly evaluation: { readonly id: string } }>(
  cells: readonly Cell[],
  { index, count }: Shard,
): Cell[] {
  const sorted = cells.toSorted((a, b) => (a.evaluation.id < b.evaluation.id ? -1 : 1));
  return sorted.filter((_, at) => at % count === index - 1);
}
