import { type RunStudyOptions, runStudy } from "../study/pipeline.ts";
import type { StudyResult } from "../study/result.ts";
import { dispatch } from "./dispatch.ts";
import { gridName, publishGrid } from "./grid-file.ts";
import type { StepDispatch } from "./queue.ts";
import type { RunStore } from "./run-store.ts";

/** A study whose steps others compute, and who they are. */
export interface SpreadOptions extends Omit<RunStudyOptions, "openSteps" | "elsewhere" | "studyDir" | "shipped"> {
  /** Where this process and those that compute meet. */
  readonly runs: RunStore;
  /** Opens what hands the steps out. */
  readonly openQueue: () => Promise<StepDispatch>;
  /** 1 to 1000; lower numbers go first. */
  readonly priority: number;
}

/**
 * Runs a study whose steps a queue hands out, each once what it needs is done, then puts its result together: result, cells and report
 * are those of a run that computes them one after the other. Finished steps are reused.
 * @throws UserError for a study that cannot be run, a queue that does not open, or a study that is run already; Interrupted when the
 *   signal is aborted, and then the grid is cancelled: what is under way stops with a checkpoint.
 */
export function spreadStudy(options: SpreadOptions): Promise<{ result: StudyResult; studyDir: string }> {
  const { runs, openQueue, priority, ...rest } = options;
  return runStudy({
    ...rest,
    openSteps: runs.openSteps,
    elsewhere({ read, plan: { steps }, waves, events }) {
      const failed = new Map<string, string>();
      const pass = new Map<string, () => void>();
      const passed = new Map(waves.flat().map(({ id }) => [id, new Promise<void>((resolve) => pass.set(id, resolve))]));
      const over = spread();
      // Whoever waits hears of it; nobody may be waiting yet.
      over.catch(() => undefined);
      return {
        failed,
        ended: ({ id }) => Promise.race([passed.get(id), over]),
        over: () => over,
      };

      async function spread(): Promise<void> {
        const grid = gridName(rest.runsDir, read);
        const queue = await openQueue();
        try {
          await publishGrid(runs, grid, read);
          await dispatch({
            ...{ queue, steps, waves, grid, priority, events, signal: rest.signal, finished: runs.finished },
            outcome: {
              failed: ({ id }, message) => failed.set(id, message),
              ended: ({ id }) => pass.get(id)?.(),
            },
          });
        } finally {
          await runs.endGrid(grid);
          await queue.close();
        }
      }
    },
  });
}
