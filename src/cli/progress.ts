import { duration, significant } from "../report/numbers.ts";
import type { EventSink, StudyEvent } from "../study/events.ts";
import { rate } from "./format.ts";
import type { Colors, TextStream } from "./io.ts";
import { newPace, type Pace } from "./pace.ts";

/** Milliseconds between two pictures of the status line on a terminal, and between two lines elsewhere. */
const REDRAW_MS = 100;
const PLAIN_MS = 10_000;
const SHOWN_METRICS = 3;

type StepProgress = Extract<StudyEvent, { type: "step-progress" }>;

export interface ProgressOptions {
  readonly stream: TextStream;
  readonly colors: Colors;
  /** Also shows the folder of each step. */
  readonly verbose: boolean;
  /** Milliseconds from any fixed moment. */
  readonly now?: () => number;
}

/** Shows how a study goes on. */
export interface Progress {
  readonly sink: EventSink;
  /** Takes the status line away, so that other text can follow. */
  clear(): void;
}

/**
 * Progress for people: on a terminal one line that is drawn over and over, elsewhere a plain line every ten seconds; what began,
 * ended or went wrong has a line of its own in both.
 */
export function showProgress({ stream, colors, verbose, now = () => performance.now() }: ProgressOptions): Progress {
  const tty = stream.isTTY === true;
  const paces = new Map<string, Pace>();
  const finished = new Set<string>();
  let steps = 0;
  let drawn = false;
  // The first plain line comes after ten seconds: a short step needs none.
  let drawnAt = tty ? Number.NEGATIVE_INFINITY : now();

  const clear = () => {
    if (drawn) stream.write("\r\x1b[2K");
    drawn = false;
  };
  const line = (text: string) => {
    clear();
    stream.write(`${text}\n`);
  };
  const counter = () => (steps > 0 ? `[${Math.min(finished.size + 1, steps)}/${steps}] ` : "");

  function progress(event: StepProgress): void {
    const pace = paces.get(event.id) ?? newPace();
    paces.set(event.id, pace);
    pace.add(now() / 1000, event.done);
    if (now() - drawnAt < (tty ? REDRAW_MS : PLAIN_MS)) return;
    drawnAt = now();
    const text = counter() + progressText(event, pace.secondsPerUnit());
    if (!tty) {
      line(text);
      return;
    }
    stream.write(`\r\x1b[2K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
    drawn = true;
  }

  const sink: EventSink = (event) => {
    switch (event.type) {
      case "study-started":
        steps = event.steps;
        break;
      case "step-started": {
        const note = event.resumed ? ", resumed" : "";
        if (!tty || event.resumed) line(`${counter()}${event.step}${note}`);
        break;
      }
      case "step-progress":
        progress(event);
        break;
      case "step-finished": {
        const text = event.source === "run" ? `done in ${duration(event.seconds)}` : sourceText(event.source);
        const where = verbose ? colors.dim(`  ${event.id}`) : "";
        line(`${counter()}${colors.green("✓")} ${event.step}  ${text}${where}`);
        finished.add(event.id);
        paces.delete(event.id);
        break;
      }
      case "step-failed":
        line(`${counter()}${colors.red("✗")} ${event.step}  ${event.message}`);
        break;
      case "step-interrupted":
        line(`${counter()}${event.step}  stopped`);
        break;
      case "warning":
        line(`${colors.yellow("warning:")} ${event.message}`);
        break;
      case "cell-finished":
        if (event.status === "failed") {
          const cell = `${event.defense}, ${event.attack}, seed ${event.seed}`;
          line(`${colors.red("failed:")} ${cell}${event.message === undefined ? "" : `: ${event.message}`}`);
        }
        break;
      case "study-finished":
        clear();
        break;
    }
  };
  return { sink, clear };
}

/** `target tl-dmi  12/40 epochs  3.2/s  8.8 s left  loss 0.412` */
export function progressText(event: StepProgress, secondsPerUnit: number | undefined): string {
  const parts = [event.step, `${event.done}/${event.total} ${event.unit}`];
  if (secondsPerUnit !== undefined && event.done < event.total) {
    parts.push(rate(secondsPerUnit), `${duration((event.total - event.done) * secondsPerUnit)} left`);
  }
  const metrics = Object.entries(event.metrics ?? {}).slice(0, SHOWN_METRICS);
  for (const [name, value] of metrics) parts.push(`${name} ${significant(value)}`);
  return parts.join("  ");
}

function sourceText(source: "store" | "shipped"): string {
  return source === "store" ? "reused" : "comes with the package";
}
