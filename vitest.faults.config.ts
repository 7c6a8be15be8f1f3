import { defineConfig } from "vitest/config";
import { tables } from "./test/faults/tables.ts";
import { totals } from "./test/reporter.ts";

/** Faults injected into grids: minutes, and so not part of `npm test`. */
export default defineConfig({
  test: {
    include: ["test/faults/**/*.fault.ts"],
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    reporters: ["default", tables(), totals()],
  },
});
