import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventFile, fanOut, type StudyEvent, throttleProgress } from "./events.ts";

const progress = (done: number): StudyEvent => ({
  type: "step-progress",
  step: "target none",
  id: "target-1",
  done,
  total: 9,
  unit: "epochs",
});

test("every sink of a fan-out gets every event, in order", () => {
  const seen: string[] = [];
  const sink = fanOut(
    (event) => seen.push(`a ${event.type}`),
    (event) => seen.push(`b ${event.type}`),
  );
  sink(progress(1));
  sink({ type: "warning", message: "w" });
  expect(seen).toEqual(["a step-progress", "b step-progress", "a warning", "b warning"]);
});

test("throttling keeps the first, the last and one progress event an interval, and all else", () => {
  let time = 0;
  const seen: (number | string)[] = [];
  const sink = throttleProgress(
    (event) => seen.push(event.type === "step-progress" ? event.done : event.type),
    100,
    () => time,
  );
  for (const [at, done] of [
    [0, 1],
    [50, 2],
    [100, 3],
    [120, 4],
    [130, 9],
  ] as const) {
    time = at;
    sink(progress(done));
    if (done === 4) sink({ type: "warning", message: "w" });
  }
  expect(seen).toEqual([1, 3, "warning", 9]);
});

test("the file of events gets one JSON line each, with its time, also in a folder that is not there yet", () => {
  const path = join(mkdtempSync(join(tmpdir(), "tldmi-")), "run", "events.jsonl");
  const sink = eventFile(path);
  sink(progress(1));
  sink(progress(2));
  sink({ type: "warning", message: "two\nlines" });
  const rows: unknown[] = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows).toEqual([
    { time: expect.stringMatching(/^\d{4}-.*Z$/), ...progress(1) },
    { time: expect.any(String), type: "warning", message: "two\nlines" },
  ]);
});
