import { setDevice, setThreads } from "../engine/runtime.ts";
import type { EventSink } from "../study/events.ts";
import { isInterruption } from "../study/interrupted.ts";
import { doStep, Unfit } from "./do-step.ts";
import { folderStore } from "./folder-store.ts";
import type { ProcessMessage, ProcessSettings } from "./process-queue.ts";
import type { QueuedStep } from "./queue.ts";
import { planner } from "./worker-plans.ts";

/** The body of a process of steps: each message is a step to do. It ends when the process that began it lets go of it, or ends. */
const { runsDir, threads, device } = JSON.parse(process.argv[2]!) as ProcessSettings;
const quiet = () => {};
const runs = folderStore(runsDir);
const plan = planner(runs, runsDir, quiet);
const stop = new AbortController();
let working: Promise<void> = Promise.resolve();

// Ctrl-C reaches all processes of a terminal: the one that began this says what follows.
process.on("SIGINT", quiet);
process.on("SIGTERM", () => stop.abort());
process.on("disconnect", () => stop.abort());
stop.signal.addEventListener("abort", () => {
  // Sessions of the runtime keep threads that would hold the process.
  void working.then(() => process.exit(0));
});
process.on("message", (queued: QueuedStep) => {
  working = work(queued);
});

setThreads(threads);
if (device !== "cpu") await setDevice(device);
await say({ type: "ready" });

async function work(queued: QueuedStep): Promise<void> {
  const report: EventSink = (event) => void say({ type: "progress", event });
  try {
    await doStep({ queued, report, runs, plan, events: quiet, signal: stop.signal });
    await say({ type: "done" });
  } catch (error) {
    if (isInterruption(error)) {
      await say({ type: "stopped" });
      return;
    }
    const cause = error instanceof Unfit ? error.cause : error;
    await say({ type: "failed", message: cause instanceof Error ? cause.message : String(cause) });
  }
}

/** Sends a message and waits until it is on its way; where nobody listens any more, it is lost. */
function say(message: ProcessMessage): Promise<void> {
  return new Promise((said) => {
    if (process.send === undefined || !process.connected) said();
    else process.send(message, () => said());
  });
}
