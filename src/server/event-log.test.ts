import { appendFile, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StudyEvent } from "../study/events.ts";
import { type Confined, confinedTo } from "./confined.ts";
import { openEventLogs, type ReadEvents } from "./event-log.ts";

const step = { step: "target none, seed 1", id: "target-1" };
const started: StudyEvent = { type: "study-started", study: "long", cells: 1, steps: 2 };
const begun: StudyEvent = { type: "step-started", ...step, resumed: false };
const progress = (done: number): StudyEvent => ({ type: "step-progress", ...step, done, total: 1e6, unit: "steps" });
const failed: StudyEvent = { type: "cell-finished", defense: "none", attack: "gmi", seed: 1, status: "failed" };
const line = (event: StudyEvent) => `${JSON.stringify({ time: "2026-01-02T03:04:05.000Z", ...event })}\n`;

let root = "";
let log = "";
let runs: Confined;
/** Bytes that were read. */
let read = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "events-"));
  await mkdir(join(root, "long"));
  log = join(root, "long", "events.jsonl");
  const whole = await confinedTo(root);
  runs = {
    ...whole,
    async piece(names, from, most) {
      const bytes = await whole.piece(names, from, most);
      read += bytes?.length ?? 0;
      return bytes;
    },
  };
});
afterAll(() => rm(root, { recursive: true }));

const types = ({ events }: ReadEvents) => events.map(({ event }) => event.type);
const lastDone = ({ events }: ReadEvents) => events.flatMap(({ event }) => ("done" in event ? event.done : [])).at(-1);

test("a log of any length is read once for all that ask, and then only what is new", async () => {
  const lines = Array.from({ length: 1000 }, (_, i) => line(progress(i))).join("");
  await writeFile(log, line(started) + line(failed) + line(begun) + lines.repeat(40));
  // Half a million lines in no time: a hole, which is read as one line that is no event.
  await truncate(log, 66 * 2 ** 20);
  await appendFile(log, `\n${line(started)}${line(failed)}${line(begun)}${lines}`);
  const logs = openEventLogs(runs);
  const asked = await Promise.all([logs.newest(["long"]), logs.newest(["long"]), logs.newest(["long"])]);
  const size = (await runs.size("long", "events.jsonl"))!;
  expect(size).toBeGreaterThan(66 * 2 ** 20);
  // What begins at the end of a piece is read with the next one.
  expect(read).toBeLessThan(1.1 * size);
  for (const one of asked) {
    expect(types(one)).toEqual(["study-started", "cell-finished", "step-started", ...Array(400).fill("step-progress")]);
    expect([lastDone(one), one.end]).toEqual([999, size]);
  }

  read = 0;
  const more = line(progress(1000));
  await appendFile(log, more.slice(0, 50));
  expect(lastDone(await logs.newest(["long"]))).toBe(999);
  await appendFile(log, more.slice(50));
  expect(lastDone(await logs.newest(["long"]))).toBe(1000);
  expect(read).toBeLessThan(2 * more.length);
});

test("a run that was removed and begun anew is told from its new log", async () => {
  const logs = openEventLogs(runs);
  await writeFile(log, line(started) + line(failed) + line(begun));
  expect(types(await logs.newest(["long"]))).toEqual(["study-started", "cell-finished", "step-started"]);
  await writeFile(log, line(started));
  expect(types(await logs.newest(["long"]))).toEqual(["study-started"]);
  await rm(log);
  expect(types(await logs.newest(["long"]))).toEqual([]);
});

test("a line that no event can be is passed over, however long", async () => {
  await writeFile(log, `${line(started)}no event\n`);
  await truncate(log, 9 * 2 ** 20);
  await appendFile(log, `\n${line(begun)}`);
  expect(types(await openEventLogs(runs).newest(["long"]))).toEqual(["study-started", "step-started"]);
});
