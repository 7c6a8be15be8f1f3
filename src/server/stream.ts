import { setTimeout } from "node:timers/promises";
import type { SSEStreamingApi } from "hono/streaming";
import type { StudyEvent } from "../study/events.ts";
import type { StepAt, StreamEvents, StudyView } from "./api.ts";
import type { Confined } from "./confined.ts";
import { type EventLogs, readEvents } from "./event-log.ts";
import { previewOf } from "./preview-view.ts";

/** Milliseconds between two looks at a run's files: logs are followed by looking, since a shared folder tells of no changes. */
const LOOK_MS = 500;
/** Looks between two views of the study, where no event asks for one. */
const VIEW_EVERY = 10;

/**
 * Follows a study's event log and sends what it says until the reader leaves.
 * @param view the study as it stands; sent first, after each cell, and now and then
 */
export async function streamStudy(options: {
  readonly stream: SSEStreamingApi;
  readonly runs: Confined;
  readonly logs: EventLogs;
  readonly id: string;
  readonly view: () => Promise<StudyView | undefined>;
}): Promise<void> {
  const { stream, runs, logs, id, view } = options;
  const send = <Name extends keyof StreamEvents>(event: Name, data: StreamEvents[Name]) =>
    stream.writeSSE({ event, data: JSON.stringify(data) });
  let at: number | undefined;
  let step: string | undefined;
  let sentView = "";
  let sentPreview = "";
  for (let look = 0; !stream.aborted && !stream.closed; look++) {
    const { events, end } = at === undefined ? await logs.newest([id]) : await readEvents(runs, [id], at);
    at = end;
    for (const { event, time } of events) {
      if (event.type === "study-started") await send("plan", { steps: event.steps });
      if (event.type === "warning") await send("warning", { message: event.message });
      const told = stepAt(event, time);
      if (told !== undefined) {
        step = told.state === "running" ? told.id : undefined;
        await send("step", told);
      }
    }
    const changed = events.some(({ event }) => event.type !== "step-progress");
    if (changed || look % VIEW_EVERY === 0) {
      const now = await view();
      const text = JSON.stringify(now);
      if (now !== undefined && text !== sentView) await send("view", now);
      sentView = text;
    }
    const preview = step === undefined ? undefined : await previewOf(runs, step);
    if (preview !== undefined && preview.latest !== sentPreview) {
      sentPreview = preview.latest;
      await send("preview", preview);
    }
    await setTimeout(LOOK_MS);
  }
}

function stepAt(event: StudyEvent, time: number): StepAt | undefined {
  switch (event.type) {
    case "step-started":
      return { step: event.step, id: event.id, time, state: "running" };
    case "step-progress": {
      const { step, id, done, total, unit, metrics } = event;
      return { step, id, time, state: "running", done, total, unit, ...(metrics && { metrics }) };
    }
    case "step-finished":
      return { step: event.step, id: event.id, time, state: "done", source: event.source, seconds: event.seconds };
    case "step-failed":
      return { step: event.step, id: event.id, time, state: "failed", message: event.message };
    case "step-interrupted":
      return { step: event.step, id: event.id, time, state: "stopped" };
    default:
      return undefined;
  }
}
