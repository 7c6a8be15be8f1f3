import { appendFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { CellView, ComparisonView, RunList, StudyView } from "../../src/server/api.ts";
import { confinedTo } from "../../src/server/confined.ts";
import { openRunIndex } from "../../src/server/run-index.ts";
import { writeManyRuns, writeRecord } from "../support/fake-runs.ts";
import { serveRuns } from "../support/serve-runs.ts";

const { root, runsDir, served, send, close } = await serveRuns();
afterAll(close);

describe("runs", () => {
  test("are listed newest first, and found by words, state and kind", async () => {
    const list = async (query: string) => (await send(`/api/runs?${new URLSearchParams(query)}`)).json<RunList>();
    const studies = await list("kind=study");
    expect(studies.rows.map(({ id, state }) => [id, state])).toEqual([
      ["running-1", "RUNNING"],
      ["finished-1", "COMPLETED"],
    ]);
    expect(studies).toMatchObject({ total: 9, matched: 2 });
    expect((await list("q=TL-DMI kedmi")).rows.map(({ id }) => id)).toEqual(["finished-1/tl-dmi-layer3.0-kedmi-seed1"]);
    expect((await list("state=FAILED")).rows).toMatchObject([
      { id: "running-1/none-kedmi-seed1", error: expect.stringContaining("NaN") },
    ]);
  });

  test("whose heartbeat stopped minutes ago are lost", async () => {
    const heartbeat = new Date(Date.now() - 10 * 60_000).toISOString();
    await writeRecord(join(runsDir, "lost-1"), { status: "RUNNING", heartbeat });
    const view = (await send("/api/runs/lost-1")).json<StudyView>();
    expect(view.row.state).toBe("LOST");
    await rm(join(runsDir, "lost-1"), { recursive: true });
  });

  test("2,000 of them are each read once, and again only when they change", async () => {
    const many = join(root, "many");
    await writeManyRuns(many, 200, 9);
    const read: string[] = [];
    const index = openRunIndex(await confinedTo(many), (file) => {
      read.push(file);
      return readFile(file, "utf8");
    });
    expect(await index.list({})).toMatchObject({ total: 2000, matched: 2000, rows: { length: 100 } });
    expect(new Set(read).size).toBe(2000);
    expect(read.length).toBe(2000);
    expect((await index.list({ q: "study-7/ cell-3" })).rows.map(({ id }) => id)).toEqual(["study-7/cell-3"]);
    expect(read.length).toBe(2000);
    await writeRecord(join(many, "study-5"), { name: "renamed" });
    expect((await index.list({ q: "renamed" })).rows.map(({ id }) => id)).toEqual(["study-5"]);
    expect(read.length).toBe(2001);
    await rm(many, { recursive: true });
  });

  test("show their grid: what is done, at work, failed, and still to come", async () => {
    const { grid } = (await send("/api/runs/running-1")).json<StudyView>();
    expect(grid.map(({ cell, state, found }) => [cell, state, found])).toEqual([
      ["none-gmi-seed1", "done", true],
      ["none-kedmi-seed1", "failed", true],
      ["tl-dmi-layer3.0-gmi-seed1", "running", true],
      ["tl-dmi-layer3.0-kedmi-seed1", "waiting", false],
    ]);
    expect(grid[0]?.attackAccuracy?.value).toBe(0.71);
    expect(grid[1]?.message).toContain("NaN");
  });

  test("of cells have numbers and pictures in class order, and name private ones only where they are kept", async () => {
    const view = (await send("/api/runs/finished-1/cells/tl-dmi-layer3.0-gmi-seed1")).json<CellView>();
    expect(view.result?.attackAccuracy.value).toBe(0.42);
    expect(view.fisher?.boundary).toBe("layer1");
    expect(view.identities.map(({ label }) => label)).toEqual([...Array(14).keys()]);
    expect(view.identities[3]?.images).toEqual(
      [0, 1].map((k) => `/api/runs/finished-1/cells/tl-dmi-layer3.0-gmi-seed1/images/3/${k}.png`),
    );
    expect((await send(view.identities[3]!.images[1]!)).status).toBe(200);
    expect(view.identities[3]?.reference).toContain("/private/3.png");
  });

  test("are compared: one point a setting, the pictures of each, and what keeps them from being comparable", async () => {
    const alone = (await send("/api/compare?runs=finished-1")).json<ComparisonView>();
    expect(alone.conditions.map(({ condition }) => condition.label)).toEqual([
      "no defense",
      "no defense",
      "tl-dmi",
      "tl-dmi",
    ]);
    expect(alone.warnings).toEqual([]);
    const both = (await send("/api/compare?runs=finished-1,running-1%2Fnone-gmi-seed1")).json<ComparisonView>();
    expect(both.conditions.map(({ condition }) => condition.label)).toContain("no defense · running-1");
    expect(both.warnings).toContain("the private training images differ");
    expect((await send("/api/compare?runs=")).status).toBe(400);
  });
});

/** Reads events of a stream until `enough` says so. */
async function stream(path: string, enough: (events: readonly { name: string; data: unknown }[]) => boolean) {
  const events: { name: string; data: unknown }[] = [];
  const abort = new AbortController();
  const answer = await fetch(new URL(path, served.url), { signal: abort.signal });
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const name = /^event: (.*)$/m.exec(part)?.[1] ?? "";
      const data = /^data: (.*)$/m.exec(part)?.[1] ?? "null";
      events.push({ name, data: JSON.parse(data) as unknown });
    }
    if (enough(events)) break;
  }
  abort.abort();
  return events;
}

test("a run at work tells its steps, losses and pictures, and goes on as its log does", async () => {
  const log = join(runsDir, "running-1", "events.jsonl");
  const step = { step: "gmi on tl-dmi layer3.0, seed 1", id: "attack-0123456789abcdef" };
  const more = { type: "step-progress", ...step, done: 31, total: 80, unit: "iterations", metrics: { loss: 0.25 } };
  let added = false;
  const events = await stream("/api/runs/running-1/events", (so) => {
    if (!added && so.some(({ name }) => name === "preview")) {
      added = true;
      const line = JSON.stringify({ time: new Date().toISOString(), ...more });
      // In two parts, as a slow writer would: half a line is no event yet.
      void appendFile(log, line.slice(0, 40))
        .then(() => setTimeout(700))
        .then(() => appendFile(log, `${line.slice(40)}\n`));
    }
    return so.some(({ name, data }) => name === "step" && (data as { done?: number }).done === 31);
  });
  const of = (name: string) => events.filter((event) => event.name === name).map(({ data }) => data);
  expect(of("plan")).toEqual([{ steps: 9 }]);
  expect(of("step").slice(0, 3)).toMatchObject([
    { step: "start weights", state: "done", source: "shipped" },
    { step: "target tl-dmi, seed 1", state: "done", source: "run", seconds: 71.4 },
    { ...step, state: "running" },
  ]);
  expect(of("step").at(-1)).toMatchObject({ ...step, done: 31, metrics: { loss: 0.25 } });
  expect(of("view")).toMatchObject([{ row: { state: "RUNNING" } }]);
  const [preview] = of("preview") as { latest: string; labels: number[] }[];
  expect(preview?.labels).toEqual([0, 1, 2, 3, 4, 5]);
  expect((await send(preview!.latest)).headers["content-type"]).toBe("image/png");
});
