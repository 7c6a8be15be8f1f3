import { resolve } from "node:path";
import { currentDevice } from "../engine/device.ts";
import { threadsEach } from "../study/makespan.ts";
import type { RunStudyOptions } from "../study/pipeline.ts";
import type { StudyResult } from "../study/result.ts";
import { folderStore } from "./folder-store.ts";
import { openProcessQueue, startStepProcess } from "./process-queue.ts";
import { spreadStudy } from "./spread-study.ts";

/** How a study is run whose steps are computed side by side. */
export interface SideBySideOptions
  extends Pick<
    RunStudyOptions,
    "studyFile" | "runsDir" | "includePrivate" | "recordsDir" | "threads" | "events" | "signal"
  > {
  /** How many processes compute steps, each with its share of `threads`, one at least. Each needs the memory of a run. */
  readonly workers: number;
}

/**
 * Runs a study as `runStudy` does, but for steps that do not rest on one another: these are computed side by side, in processes of their
 * own. A step that fails, or whose process is killed, fails its cells; the others go on.
 * @throws UserError for a study that cannot be run; Interrupted when the signal is aborted.
 */
export function runSideBySide(options: SideBySideOptions): Promise<{ result: StudyResult; studyDir: string }> {
  const { workers, ...study } = options;
  const runsDir = resolve(study.runsDir);
  const threads = threadsEach(study.threads, workers);
  const start = () => startStepProcess({ runsDir, threads, device: currentDevice() });
  return spreadStudy({
    ...{ ...study, runsDir, threads, priority: 1 },
    runs: folderStore(runsDir),
    openQueue: async () => openProcessQueue({ count: workers, start }),
  });
}
