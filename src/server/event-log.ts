import type { StudyEvent } from "../study/events.ts";
import { EVENTS_FILE } from "../study/run-folder.ts";
import type { Confined } from "./confined.ts";

/** Bytes of a log that are read at a time. A line that is longer is passed over. */
const PIECE = 4 * 2 ** 20;
/** Progress lines of the step at hand that are kept, for its curves. */
const MOST_PROGRESS = 400;
/** Logs of which is known what was read already. */
const MOST_LOGS = 64;

/** An event as a run's log holds it. */
export interface LoggedEvent {
  readonly event: StudyEvent;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Where the next line begins, in bytes. */
  readonly end: number;
}

/** What was read of a log. */
export interface ReadEvents {
  readonly events: readonly LoggedEvent[];
  /** Where to read on, in bytes. */
  readonly end: number;
}

/**
 * The whole lines of a run's event log from byte `from` on, of a long log not all of them: there are more as long as `end` moves. A line
 * that is being written is left for the next call. Lines that are no events are passed over.
 */
export async function readEvents(runs: Confined, run: readonly string[], from: number): Promise<ReadEvents> {
  const bytes = await runs.piece([...run, EVENTS_FILE], from, PIECE);
  if (bytes === undefined) return { events: [], end: from };
  const events: LoggedEvent[] = [];
  for (let start = 0; ; ) {
    const newline = bytes.indexOf(0x0a, start);
    if (newline < 0) {
      const tooLong = start === 0 && bytes.length === PIECE;
      return { events, end: from + (tooLong ? PIECE : start) };
    }
    const event = parse(bytes.toString("utf8", start, newline));
    start = newline + 1;
    if (event !== undefined) events.push({ ...event, end: from + start });
  }
}

/** The logs of runs, each read once as it grows, whoever asks how often. */
export interface EventLogs {
  /**
   * The newest attempt, those events since the study was last started: without the progress of steps that are over, and with no more of
   * the one at hand than a chart needs. `end` is where the log ended.
   */
  newest(run: readonly string[]): Promise<ReadEvents>;
}

/** What is kept of a log up to byte `end`. */
interface Kept extends ReadEvents {
  /** Of the step that began last. */
  readonly progress: readonly LoggedEvent[];
}

const NOTHING: Kept = { events: [], progress: [], end: 0 };

export function openEventLogs(runs: Confined): EventLogs {
  // Those that were asked for last stand last. Each waits for the one before it, so that no line is read twice.
  const logs = new Map<string, Promise<Kept>>();
  return {
    async newest(run) {
      const name = run.join("/");
      const before = logs.get(name) ?? Promise.resolve(NOTHING);
      const now = before.catch(() => NOTHING).then((kept) => readOn(runs, run, kept));
      logs.delete(name);
      logs.set(name, now);
      const [oldest] = logs.keys();
      if (logs.size > MOST_LOGS && oldest !== undefined) logs.delete(oldest);
      const { events, progress, end } = await now;
      return { events: [...events, ...progress].sort((a, b) => a.end - b.end), end };
    },
  };
}

/** What is kept of a log when all that it holds by now is read. */
async function readOn(runs: Confined, run: readonly string[], kept: Kept): Promise<Kept> {
  // A folder that was removed and made anew has another log, which is shorter for a while.
  const whole = (await runs.size(...run, EVENTS_FILE)) ?? 0;
  let now = whole < kept.end ? NOTHING : kept;
  for (;;) {
    const read = await readEvents(runs, run, now.end);
    if (read.end === now.end) return now;
    now = withEvents(now, read);
  }
}

function withEvents(kept: Kept, read: ReadEvents): Kept {
  let events = [...kept.events];
  let progress = [...kept.progress];
  for (const logged of read.events) {
    const { type } = logged.event;
    if (type === "step-progress") progress.push(logged);
    else {
      if (type === "study-started") events = [];
      if (type === "study-started" || type === "step-started") progress = [];
      events.push(logged);
    }
  }
  return { events, progress: progress.slice(-MOST_PROGRESS), end: read.end };
}

function parse(line: string): { event: StudyEvent; time: number } | undefined {
  try {
    const { time, ...event } = JSON.parse(line) as StudyEvent & { time: string };
    return typeof event.type === "string" ? { event: event as StudyEvent, time: Date.parse(time) } : undefined;
  } catch {
    return undefined;
  }
}
