import type { Reporter } from "vitest/node";
import type { FaultRow, LoadRow } from "./notes.ts";

const FAULTS = ["fault", "injected", "steps", "lost", "corrupted", "ended twice", "seconds"];
const LOADS = ["load", "seconds", "at most"];

/** Prints what the tests of all files noted, as tables. */
export function tables(): Reporter {
  return {
    onTestRunEnd(modules) {
      const metas = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.meta()));
      printTable(FAULTS, metas.flatMap((meta) => meta.faults ?? []).map(faultCells));
      printTable(LOADS, metas.flatMap((meta) => meta.loads ?? []).map(loadCells));
    },
  };
}

function faultCells({ fault, times, steps, lost, corrupted, twice, seconds }: FaultRow): readonly (string | number)[] {
  return [fault, times, steps, lost, corrupted, twice, seconds.toFixed(0)];
}

function loadCells({ load, seconds, bound }: LoadRow): readonly (string | number)[] {
  return [load, seconds.toFixed(2), bound];
}

function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  if (rows.length === 0) return;
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  process.stdout.write(`\n${lines.join("\n")}\n\n`);
}
