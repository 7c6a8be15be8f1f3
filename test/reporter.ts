import type { Reporter } from "vitest/node";

/**
 * Says in a last line `N passed, N failed` how a test run ended. Files that do not load and errors outside of tests count as
 * failed; skipped tests count as neither.
 */
export function totals(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
      const count = (wanted: string) => states.filter((state) => state === wanted).length;
      const broken = modules.filter((module) => module.errors().length > 0).length;
      const line = `${count("passed")} passed, ${count("failed") + broken + unhandledErrors.length} failed\n`;
      // Other reporters still write their summaries; nothing is written after this.
      process.once("exit", () => process.stdout.write(line));
    },
  };
}
