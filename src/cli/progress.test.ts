import { expect, test } from "vitest";
import type { StudyEvent } from "../study/events.ts";
import { colorsFor } from "./io.ts";
import { progressText, showProgress } from "./progress.ts";

const at = (done: number, metrics?: Record<string, number>): Extract<StudyEvent, { type: "step-progress" }> => ({
  type: "step-progress",
  step: "target none",
  id: "target-1",
  done,
  total: 40,
  unit: "epochs",
  ...(metrics === undefined ? {} : { metrics }),
});
const started = (resumed = false): StudyEvent => ({
  type: "step-started",
  step: "target none",
  id: "target-1",
  resumed,
});
const plain = (text: string) => text.replaceAll("\u00a0", " ");

/** Progress on a stream that keeps what is written, at a time that the test sets. */
function shown(terminal: { isTTY?: boolean; columns?: number } = {}, verbose = false) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const stream = { write: (text: string) => written.push(plain(text)), ...terminal };
  const progress = showProgress({ stream, colors: colorsFor(stream, false, {}), verbose, now: () => clock.ms });
  return { ...progress, written, clock };
}

test("a line of progress has count, speed, time left and the first metrics", () => {
  const event = at(12, { loss: 0.41234, accuracy: 0.9, rate: 0.01, norm: 7 });
  expect(plain(progressText(event, 0.3125))).toBe(
    "target none  12/40 epochs  3.2/s  8.8 s left  loss 0.412  accuracy 0.900  rate 0.0100",
  );
  expect(plain(progressText(at(12), 75))).toBe("target none  12/40 epochs  1 min 15 s each  35 min 00 s left");
  expect(progressText(at(0), undefined)).toBe("target none  0/40 epochs");
  expect(progressText(at(40), 1)).toBe("target none  40/40 epochs");
});

test("without a terminal there is a plain line every ten seconds, and no control character", () => {
  const { sink, written, clock } = shown();
  sink({ type: "study-started", study: "quick", cells: 2, steps: 3 });
  sink(started());
  for (let second = 0; second < 40; second++) {
    clock.ms = second * 1000;
    sink(at(second));
  }
  sink({ type: "step-finished", step: "target none", id: "target-1", source: "run", seconds: 40 });
  sink({ type: "step-finished", step: "prior", id: "prior-1", source: "shipped", seconds: 300 });
  sink({ type: "step-finished", step: "attack", id: "attack-1", source: "store", seconds: 10 });
  expect(written).toEqual([
    "[1/3] target none\n",
    "[1/3] target none  10/40 epochs  1.0/s  30 s left\n",
    "[1/3] target none  20/40 epochs  1.0/s  20 s left\n",
    "[1/3] target none  30/40 epochs  1.0/s  10 s left\n",
    "[1/3] ✓ target none  done in 40 s\n",
    "[2/3] ✓ prior  comes with the package\n",
    "[3/3] ✓ attack  reused\n",
  ]);
});

test("on a terminal one line is drawn over itself, at most ten times a second and no wider than the terminal", () => {
  const { sink, written, clock } = shown({ isTTY: true, columns: 30 });
  sink(started());
  for (const ms of [0, 50, 99, 100, 150]) {
    clock.ms = ms;
    sink(at(1, { loss: 0.5, accuracy: 0.25 }));
  }
  expect(written).toEqual(Array.from({ length: 2 }, () => "\r\x1b[2Ktarget none  1/40 epochs  los"));
});

test("on a terminal other lines take the place of the status line", () => {
  const { sink, written, clear } = shown({ isTTY: true });
  sink(at(1));
  sink({ type: "warning", message: "low memory" });
  sink({ type: "step-finished", step: "target none", id: "target-1", source: "run", seconds: 1 });
  clear();
  expect(written.slice(1)).toEqual(["\r\x1b[2K", "warning: low memory\n", "✓ target none  done in 1.0 s\n"]);
});

test("what went wrong, was resumed or was stopped is said", () => {
  const { sink, written } = shown({}, true);
  sink(started(true));
  sink({ type: "step-failed", step: "target none", id: "target-1", message: "loss is NaN" });
  sink({ type: "step-interrupted", step: "prior", id: "prior-1" });
  sink({ type: "cell-finished", defense: "none", attack: "gmi", seed: 1, status: "failed", message: "loss is NaN" });
  sink({ type: "cell-finished", defense: "none", attack: "gmi", seed: 2, status: "done", run: "cells/x" });
  sink({ type: "step-finished", step: "target none", id: "target-1", source: "run", seconds: 1 });
  expect(written).toEqual([
    "target none, resumed\n",
    "✗ target none  loss is NaN\n",
    "prior  stopped\n",
    "failed: none, gmi, seed 1: loss is NaN\n",
    "✓ target none  done in 1.0 s  target-1\n",
  ]);
});
