import { setTimeout } from "node:timers/promises";
import { isInterruption } from "../study/interrupted.ts";
import { doStep, type StepWork, Unfit } from "./do-step.ts";
import { PutBack, type StepQueue } from "./queue.ts";
import { StoreError } from "./s3/failure.ts";

/** Milliseconds until a step goes back whose grid could not be read, since the run store was away. */
const AWAY = 2000;
/** What no other attempt on this machine would mend. */
const ENVIRONMENT = ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO"];

/** What `workOn` works on: a queue that is open, and plans. */
export interface WorkOptions extends Omit<StepWork, "queued" | "report"> {
  readonly queue: StepQueue;
  /** The server's address, for messages. */
  readonly server: string;
}

/**
 * Does steps from an open queue, one at a time, until the signal is aborted; the step under way is then saved and goes back.
 * @returns how many steps it did.
 * @throws what keeps this machine from working on: a plan that cannot be made or lacks the step, a disk that is full or may not be
 *   written. The step goes back into the queue.
 */
export async function workOn({ queue, server, ...rest }: WorkOptions): Promise<{ steps: number }> {
  const { events, signal } = rest;
  let steps = 0;
  const end = new AbortController();
  const stop = AbortSignal.any([signal, end.signal]);
  let warned = "";
  const ended = new Promise<void>((done) => {
    if (stop.aborted) done();
    stop.addEventListener("abort", () => done(), { once: true });
  });
  const working = await queue.work({
    onError(message) {
      if (message !== warned && !stop.aborted)
        events({ type: "warning", message: `${server}: ${message}; trying again` });
      warned = message;
    },
    async process(queued, report) {
      if (stop.aborted) throw new PutBack();
      try {
        if (await doStep({ ...rest, queued, report, signal: stop })) steps++;
      } catch (error) {
        if (isInterruption(error)) throw new PutBack();
        if (error instanceof StoreError && error.passing) {
          events({ type: "warning", message: `${error.message}; trying again` });
          await setTimeout(AWAY, undefined, { ref: false });
          throw new PutBack();
        }
        if (!(error instanceof Unfit) && !isEnvironment(error)) throw error;
        // Nothing that another worker could not do: this one leaves.
        end.abort(error instanceof Unfit ? error.cause : error);
        throw new PutBack();
      }
    },
  });
  await ended;
  await working.close();
  if (end.signal.aborted) throw end.signal.reason;
  return { steps };
}

function isEnvironment(error: unknown): boolean {
  if (error instanceof StoreError) return true;
  return error instanceof Error && "code" in error && ENVIRONMENT.includes(String(error.code));
}
