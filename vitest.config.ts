import { defineConfig } from "vitest/config";
import { totals } from "./test/reporter.ts";
import { SlowestFirst } from "./test/slowest-first.ts";

/** They look at the memory of their process, or put something else in a module's place. */
const ALONE = [
  "test/engine/memory.test.ts",
  "test/hostile-files.test.ts",
  "test/onnx-hostile.test.ts",
  "test/bench/**/*.test.ts",
];

export default defineConfig({
  test: {
    setupFiles: ["test/support/seeded-properties.ts", "test/support/one-thread.ts"],
    maxWorkers: 2,
    // Guards against hanging, on a machine with much else to do.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ["default", totals()],
    sequence: { sequencer: SlowestFirst },
    projects: [
      { extends: true, test: { name: "alone", include: ALONE } },
      {
        extends: true,
        // What files import is loaded once a process: no module keeps a state that a test could leave behind for the next.
        test: { name: "together", include: ["src/**/*.test.ts", "test/**/*.test.ts"], exclude: ALONE, isolate: false },
      },
    ],
  },
});
