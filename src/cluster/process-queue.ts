import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Device } from "../engine/device.ts";
import type { StudyEvent } from "../study/events.ts";
import type { QueuedStep, QueueEvent, StepDispatch } from "./queue.ts";

/** How a process of steps is begun: its first argument, as JSON. */
export interface ProcessSettings {
  /** Absolute. */
  readonly runsDir: string;
  readonly threads: number;
  readonly device: Device;
}

/** What a process of steps says to the one that began it, which answers with a `QueuedStep` to do. */
export type ProcessMessage =
  | { readonly type: "ready" | "done" | "stopped" }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "progress"; readonly event: StudyEvent };

/** A process, and the step that it is at or will begin with. */
interface Hand {
  readonly child: ChildProcess;
  step?: QueuedStep;
}

export interface ProcessQueueOptions {
  /** How many processes there may be. */
  readonly count: number;
  /** Begins one that speaks `ProcessMessage`s. */
  start(): ChildProcess;
}

/**
 * A queue whose workers are processes of its own, each at one step. They are begun when there is something to do, and end with `close`, or
 * with this process, after the step under way has saved a checkpoint. A step that fails is not begun again.
 */
export function openProcessQueue({ count, start }: ProcessQueueOptions): StepDispatch {
  const waiting: QueuedStep[] = [];
  const failures = new Map<string, string>();
  const hands = new Set<Hand>();
  const listeners = new Set<(event: QueueEvent) => void>();
  let open = true;

  const tell = (event: QueueEvent) => {
    for (const listener of listeners) listener(event);
  };
  const active = (id: string) => [...hands].some(({ step }) => step?.id === id);

  /** Gives what waits to those that have nothing to do. */
  function handOut(): void {
    while (open && waiting.length > 0) {
      const idle = [...hands].find(({ step }) => step === undefined);
      if (idle === undefined && hands.size >= count) return;
      const step = waiting.shift()!;
      if (idle === undefined) begin(step);
      else {
        idle.step = step;
        idle.child.send(step);
      }
    }
  }

  /** Begins a process with its first step. */
  function begin(step: QueuedStep): void {
    const hand: Hand = { child: start(), step };
    hands.add(hand);
    hand.child.on("message", (message) => hear(hand, message as ProcessMessage));
    hand.child.on("error", ({ message }) => {
      // A message that did not reach it says less than its end, which follows.
      if (hand.child.pid === undefined) end(message);
    });
    hand.child.on("exit", (code, signal) => {
      end(signal === null ? `exit code ${code}` : `${signal}, perhaps for want of memory: fewer workers need less`);
    });
    function end(why: string): void {
      if (hands.delete(hand) && open && hand.step !== undefined) fail(hand.step.id, `its process ended: ${why}`);
      handOut();
    }
  }

  function hear(hand: Hand, message: ProcessMessage): void {
    const { step } = hand;
    if (step === undefined) return;
    if (message.type === "ready") {
      hand.child.send(step);
      return;
    }
    if (message.type === "progress") {
      tell({ ...message, id: step.id });
      return;
    }
    delete hand.step;
    if (message.type === "failed") fail(step.id, message.message);
    else if (message.type === "done") tell({ type: "done", id: step.id });
    else {
      // Somebody told it to end, and the step has to go on elsewhere.
      hands.delete(hand);
      insert(step);
    }
    handOut();
  }

  function fail(id: string, message: string): void {
    failures.set(id, message);
    tell({ type: "failed", id });
  }

  function insert(step: QueuedStep): void {
    const at = waiting.findIndex(({ priority }) => priority > step.priority);
    waiting.splice(at < 0 ? waiting.length : at, 0, step);
  }

  return {
    async add(steps) {
      for (const step of steps) {
        const known = failures.has(step.id) || active(step.id) || waiting.some(({ id }) => id === step.id);
        if (!known) insert(step);
      }
      handOut();
    },
    async look(id) {
      const message = failures.get(id);
      if (message !== undefined) return { state: "failed", message };
      if (active(id)) return { state: "active" };
      return { state: waiting.some((step) => step.id === id) ? "waiting" : "absent" };
    },
    async remove(id) {
      failures.delete(id);
      const at = waiting.findIndex((step) => step.id === id);
      if (at >= 0) waiting.splice(at, 1);
    },
    async counts() {
      const running = [...hands].filter(({ step }) => step !== undefined).length;
      return { running, waiting: waiting.length, workers: count };
    },
    async watch(listener) {
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
    async close() {
      open = false;
      await Promise.all(
        [...hands].map(async ({ child }) => {
          const ended = once(child, "exit");
          // What they stop at.
          if (child.connected) child.disconnect();
          await ended;
        }),
      );
    },
  };
}

/** Has glibc ask for large pages: a graph's first run touches half a gigabyte, which in small pages is slow. Unknown elsewhere. */
const LARGE_PAGES = "glibc.malloc.hugetlb=1";

/** Begins a process that does steps of a folder of runs. @param body what it runs */
export function startStepProcess(
  settings: ProcessSettings,
  body = new URL("./step-process.js", import.meta.url),
): ChildProcess {
  const { GLIBC_TUNABLES: given } = process.env;
  return fork(body, [JSON.stringify(settings)], {
    // Helpers that collect garbage would take their time from the other processes.
    execArgv: [...process.execArgv, "--single-threaded-gc"],
    // The last of several counts: what the user says.
    env: { ...process.env, GLIBC_TUNABLES: given ? `${LARGE_PAGES}:${given}` : LARGE_PAGES },
    // What it says goes through messages; where it dies, the reason is on stderr.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}
