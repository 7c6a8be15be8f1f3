import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { textIfThere } from "../engine/text-if-there.ts";
import { assetsFolder } from "../study/assets.ts";
import { secondsOfStep } from "../study/step-record.ts";
import { openStepStore } from "../study/step-store.ts";
import { endGrid, gridPath, queueName } from "./grid-folder.ts";
import type { RunStore } from "./run-store.ts";
import { findShipped } from "./shipped.ts";

/** A folder of runs that all machines mount, as a run store. */
export function folderStore(runsDir: string): RunStore {
  const steps = join(runsDir, "steps");
  return {
    shown: runsDir,
    queueName: () => queueName(runsDir),
    async writeGrid(name, text) {
      const path = gridPath(runsDir, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFileAtomic(path, text);
    },
    readGrid: (name) => textIfThere(gridPath(runsDir, name)),
    endGrid: (name) => endGrid(runsDir, name),
    finished: {
      async find(folder) {
        const seconds = await secondsOfStep(join(steps, folder));
        return seconds === undefined ? findShipped(folder) : { seconds, source: "store" };
      },
    },
    openSteps: (options) => openStepStore({ root: steps, shipped: [assetsFolder], ...options }),
  };
}
