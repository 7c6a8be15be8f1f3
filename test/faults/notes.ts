import { TestRunner } from "vitest";

/** A fault as the table shows it: how often it was injected, and what became of the steps. */
export interface FaultRow {
  readonly fault: string;
  readonly times: number;
  readonly steps: number;
  readonly lost: number;
  readonly corrupted: number;
  readonly twice: number;
  readonly seconds: number;
}

/** A time under load, in seconds, and the most that it may be. */
export interface LoadRow {
  readonly load: string;
  readonly seconds: number;
  readonly bound: number;
}

declare module "vitest" {
  interface TaskMeta {
    /** Rows for the tables that `test/faults/tables.ts` prints. */
    faults?: readonly FaultRow[];
    loads?: readonly LoadRow[];
  }
}

/** Puts a row into the table of faults that is printed when all files are done. Called within a test. */
export function noteFault(row: FaultRow): void {
  const { meta } = TestRunner.getCurrentTest()!;
  meta.faults = [...(meta.faults ?? []), row];
}

/** The same for the table of loads. */
export function noteLoad(row: LoadRow): void {
  const { meta } = TestRunner.getCurrentTest()!;
  meta.loads = [...(meta.loads ?? []), row];
}
