import type { EventSink } from "../../study/events.ts";
import type { StudyResult } from "../../study/result.ts";

/** How what is tracked ended. */
export type TrackedState = "done" | "failed" | "interrupted";

/** Hands a study's events and numbers on to a tool that follows experiments. What it cannot hand on is told once and never stops a study. */
export interface Tracker {
  readonly events: EventSink;
  /** Hands on the numbers of all finished cells. @param studyDir the study's folder, where their pictures lie */
  result(result: StudyResult, studyDir: string): Promise<void>;
  /** Ends what was begun, and waits until it is out. */
  end(state: TrackedState): Promise<void>;
}
