import { type EventSink, fanOut } from "../../study/events.ts";
import { mlflowTracker } from "./mlflow.ts";
import { tensorboardTracker } from "./tensorboard.ts";
import type { Tracker } from "./tracker.ts";

export type { TrackedState, Tracker } from "./tracker.ts";

/** Which tools follow a study. */
export interface TrackingOptions {
  /** Folder for TensorBoard's event files. */
  readonly tensorboard?: string | undefined;
  /** Address of an MLflow tracking server. */
  readonly mlflow?: string | undefined;
  /** The environment, for what an MLflow server asks. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warn: EventSink;
}

/** One tracker for all that were asked for. @throws UserError for an address that is none. */
export function openTracking({ tensorboard, mlflow, env, warn }: TrackingOptions): Tracker {
  const all: Tracker[] = [];
  if (tensorboard !== undefined) all.push(tensorboardTracker(tensorboard, warn));
  if (mlflow !== undefined) all.push(mlflowTracker({ url: mlflow, env, warn }));
  return {
    events: fanOut(...all.map(({ events }) => events)),
    async result(result, studyDir) {
      for (const tracker of all) await tracker.result(result, studyDir);
    },
    async end(state) {
      for (const tracker of all) await tracker.end(state);
    },
  };
}
