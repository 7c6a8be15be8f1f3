import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** How a finished step came to be: computed now, found in the store, or found in the assets of the package. */
export type StepSource = "run" | "store" | "shipped";

/** A cell of the grid by the name of its folder, with what a reader calls its defense and attack. */
export interface PlannedCellName {
  readonly cell: string;
  readonly defense: string;
  readonly attack: string;
  readonly seed: number;
}

/** What happens while a study runs. `step` is the name people read, `id` the folder's name in the store. */
export type StudyEvent =
  | {
      readonly type: "study-started";
      readonly study: string;
      readonly cells: number;
      readonly steps: number;
      /** The grid's cells in their order. */
      readonly grid?: readonly PlannedCellName[];
    }
  | { readonly type: "step-started"; readonly step: string; readonly id: string; readonly resumed: boolean }
  | {
      readonly type: "step-progress";
      readonly step: string;
      readonly id: string;
      readonly done: number;
      readonly total: number;
      /** What is counted, in the plural: `epochs`. */
      readonly unit: string;
      readonly metrics?: Readonly<Record<string, number>>;
    }
  | {
      readonly type: "step-finished";
      readonly step: string;
      readonly id: string;
      readonly source: StepSource;
      /** Wall time the step took when it was computed, in seconds. */
      readonly seconds: number;
    }
  | { readonly type: "step-failed"; readonly step: string; readonly id: string; readonly message: string }
  | { readonly type: "step-interrupted"; readonly step: string; readonly id: string }
  | { readonly type: "warning"; readonly message: string; readonly step?: string }
  | {
      readonly type: "cell-finished";
      readonly defense: string;
      readonly attack: string;
      readonly seed: number;
      /** The cell's name and that of its folder. */
      readonly cell?: string;
      readonly status: "done" | "failed";
      /** The cell's run folder; absent where it failed before it had one. */
      readonly run?: string;
      readonly message?: string;
    }
  | { readonly type: "study-finished"; readonly study: string; readonly status: "done" | "partial" };

/** Where events go. It must not throw for want of interest and must return at once. */
export type EventSink = (event: StudyEvent) => void;

/** Hands each event to every sink, in their order. */
export function fanOut(...sinks: readonly EventSink[]): EventSink {
  return (event) => {
    for (const sink of sinks) sink(event);
  };
}

/**
 * Lets through one progress event a step in `milliseconds`, and always the first and the last (`done` = `total`);
 * everything else passes.
 */
export function throttleProgress(
  sink: EventSink,
  milliseconds: number,
  now: () => number = () => performance.now(),
): EventSink {
  const lastAt = new Map<string, number>();
  return (event) => {
    if (event.type === "step-progress") {
      const last = lastAt.get(event.id);
      if (event.done < event.total && last !== undefined && now() - last < milliseconds) return;
      lastAt.set(event.id, now());
    }
    sink(event);
  };
}

/**
 * Appends each event as one JSON line with its `time` (ISO 8601) to a file, made with its folder where missing.
 * Lines are written before the call returns, so that a killed process has lost none; progress is thinned to one a second and step.
 */
export function eventFile(path: string): EventSink {
  mkdirSync(dirname(path), { recursive: true });
  return throttleProgress((event) => {
    appendFileSync(path, `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
  }, 1000);
}
