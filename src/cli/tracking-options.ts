import { Option } from "@commander-js/extra-typings";
import { type EventSink, fanOut } from "../study/events.ts";
import { isInterruption } from "../study/interrupted.ts";
import type { StudyResult } from "../study/result.ts";
import type { Cli } from "./globals.ts";

/** Which tools follow a study. */
export interface Followed {
  readonly tensorboard?: string | undefined;
  readonly mlflow?: string | undefined;
}

/** `--tensorboard`: a folder for its event files. */
export function tensorboardOption() {
  return new Option(
    "--tensorboard <dir>",
    "also write losses, numbers and reconstructions as TensorBoard's event files",
  );
}

/** `--mlflow`: a tracking server. */
export function mlflowOption() {
  return new Option("--mlflow <url>", "also log losses, settings and numbers to this MLflow tracking server");
}

interface Ran {
  readonly result: StudyResult;
  readonly studyDir: string;
}

/**
 * Runs a study with what follows it, if anything does.
 * @param run gets the sink for the study's events
 */
export async function followed(
  { cli, tools, events }: { readonly cli: Cli; readonly tools: Followed; readonly events: EventSink },
  run: (events: EventSink) => Promise<Ran>,
): Promise<Ran> {
  if (tools.tensorboard === undefined && tools.mlflow === undefined) return run(events);
  const { openTracking } = await cli.modules.tracking();
  const tracker = openTracking({ ...tools, env: cli.io.env, warn: events });
  try {
    const ran = await run(fanOut(events, tracker.events));
    await tracker.result(ran.result, ran.studyDir);
    await tracker.end("done");
    return ran;
  } catch (error) {
    await tracker.end(isInterruption(error) ? "interrupted" : "failed");
    throw error;
  }
}
