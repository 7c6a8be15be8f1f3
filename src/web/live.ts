import { useEffect, useState } from "react";
import type { PreviewAt, StepAt, StreamEvents, StudyView } from "../server/api.ts";

/** Progress lines kept for the curve of the step at hand. */
const MOST = 600;
/** Spans from which the pace is taken. */
const SPANS = 21;

/** What the stream of a study has told so far. */
export interface Live {
  readonly view?: StudyView;
  /** Steps of the study in all. */
  readonly steps?: number;
  /** Steps that have ended, in their order. */
  readonly ended: readonly StepAt[];
  /** The step at hand: its newest line, and the lines before it. */
  readonly now?: StepAt;
  readonly progress: readonly StepAt[];
  readonly preview?: PreviewAt;
  readonly warnings: readonly string[];
  /** Whether the stream is broken at the moment. */
  readonly lost: boolean;
}

const NOTHING: Live = { ended: [], progress: [], warnings: [], lost: false };

/** Follows a study while its page is open. */
export function useLive(id: string): Live {
  const [live, setLive] = useState<Live>(NOTHING);
  useEffect(() => {
    const source = new EventSource(`/api/runs/${encodeURIComponent(id)}/events`);
    const on = <Name extends keyof StreamEvents>(name: Name, take: (live: Live, data: StreamEvents[Name]) => Live) =>
      source.addEventListener(name, (event: MessageEvent<string>) =>
        setLive((before) => take(before, JSON.parse(event.data) as StreamEvents[Name])),
      );
    on("view", (before, view) => ({ ...before, view }));
    on("plan", (before, { steps }) => ({ ...before, ...restarted, steps }));
    on("warning", (before, { message }) => ({ ...before, warnings: [...before.warnings, message].slice(-5) }));
    on("preview", (before, preview) => ({ ...before, preview }));
    on("step", withStep);
    // A broken stream is opened again by the browser, and tells everything from the start.
    source.onopen = () => setLive((before) => ({ ...NOTHING, ...(before.view && { view: before.view }) }));
    source.onerror = () => setLive((before) => ({ ...before, lost: true }));
    return () => source.close();
  }, [id]);
  return live;
}

const restarted = { ended: [], progress: [], warnings: [] } as const;

/** What is known after a step's line. */
export function withStep(before: Live, step: StepAt): Live {
  const { now: _, preview, ...rest } = before;
  if (step.state !== "running") {
    const others = before.ended.filter(({ id }) => id !== step.id);
    return { ...rest, ended: [...others, step], progress: [] };
  }
  const same = before.now?.id === step.id;
  const line = same ? { ...before.now, ...step } : step;
  return {
    ...rest,
    ...(same && preview && { preview }),
    now: line,
    progress:
      step.done === undefined ? (same ? before.progress : []) : [...(same ? before.progress : []), step].slice(-MOST),
  };
}

/** Seconds until a step is done, by the median of its recent pace; undefined until there is one. */
export function secondsLeft(progress: readonly StepAt[]): number | undefined {
  const recent = progress.slice(-SPANS - 1);
  const paces = recent.slice(1).flatMap((line, at) => {
    const before = recent[at];
    if (before?.done === undefined || line.done === undefined || line.done <= before.done) return [];
    return [(line.time - before.time) / 1000 / (line.done - before.done)];
  });
  const last = recent.at(-1);
  const middle = paces.toSorted((a, b) => a - b)[Math.floor(paces.length / 2)];
  if (middle === undefined || last?.done === undefined || last.total === undefined) return undefined;
  return middle * (last.total - last.done);
}
