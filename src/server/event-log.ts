import type { StudyEvent } from "../study/events.ts";
import { EVENTS_FILE } from "../study/run-folder.ts";
import type { Confined } from "./confined.ts";

/** An event as a run's log holds it. */
export interface LoggedEvent {
  readonly event: StudyEvent;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Where the next line begins, in bytes. */
  readonly end: number;
}

/**
 * The whole lines of a run's event log from byte `from` on; a line that is being written is left for the next call. Lines that are no
 * events are passed over.
 */
export async function readEvents(runs: Confined, run: readonly string[], from = 0): Promise<LoggedEvent[]> {
  const bytes = await runs.read([...run, EVENTS_FILE], from);
  if (bytes === undefined) return [];
  const events: LoggedEvent[] = [];
  for (let start = 0; ; ) {
    const newline = bytes.indexOf(0x0a, start);
    if (newline < 0) return events;
    const event = parse(bytes.toString("utf8", start, newline));
    start = newline + 1;
    if (event !== undefined) events.push({ ...event, end: from + start });
  }
}

/** The events of the newest attempt: those since the study was last started. */
export function lastAttempt(events: readonly LoggedEvent[]): readonly LoggedEvent[] {
  const start = events.findLastIndex(({ event }) => event.type === "study-started");
  return start < 0 ? events : events.slice(start);
}

function parse(line: string): { event: StudyEvent; time: number } | undefined {
  try {
    const { time, ...event } = JSON.parse(line) as StudyEvent & { time: string };
    return typeof event.type === "string" ? { event: event as StudyEvent, time: Date.parse(time) } : undefined;
  } catch {
    return undefined;
  }
}
