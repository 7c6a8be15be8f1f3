import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { temporaryName } from "../engine/atomic-file.ts";
import { Interrupted } from "./interrupted.ts";
import { manifestFaults } from "./manifest.ts";
import { finishRun, openRunFolder } from "./run-folder.ts";
import { readRunRecord } from "./run-record.ts";

const config = { name: "quick", seeds: [1, 2] };
let dir: string;

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "tldmi-")), "cell");
  vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"], now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const open = () =>
  openRunFolder({ dir, kind: "cell", name: "quick gmi", seed: 2, study: "..", config, machine: { threads: 2 } });
const read = (name: string): unknown => JSON.parse(readFileSync(join(dir, name), "utf8"));

test("a run that goes on has its record, its resolved config and a folder for artefacts", async () => {
  await open();
  expect(await readRunRecord(dir)).toMatchObject({
    schemaVersion: 1,
    kind: "cell",
    status: "RUNNING",
    started: "1970-01-01T00:00:00.000Z",
    attempts: 1,
    seed: 2,
    study: "..",
    machine: { threads: 2 },
  });
  expect(parse(readFileSync(join(dir, "config.yaml"), "utf8"))).toEqual(config);
  expect(readdirSync(dir).sort()).toEqual(["artifacts", "config.yaml", "run.json", "run.lock"]);
});

test("the heartbeat is renewed until the run is finished, and not after", async () => {
  const run = await open();
  await vi.advanceTimersByTimeAsync(25_000);
  expect(run.record().heartbeat).toBe("1970-01-01T00:00:20.000Z");
  await run.finish("COMPLETED");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await readRunRecord(dir)).toMatchObject({ status: "COMPLETED", heartbeat: "1970-01-01T00:00:25.000Z" });
});

test("a finished run has a manifest that fits, with everything but the record, the manifest and the report", async () => {
  const run = await open();
  await finishRun(run, async () => {
    run.events({ type: "warning", message: "w" });
    writeFileSync(join(run.artifacts, "latents.npy"), "1");
    await run.writeJson("result.json", { value: 1 });
  });
  const { files } = read("manifest.json") as { files: { path: string; bytes: number; sha256: string }[] };
  expect(files.map(({ path }) => path)).toEqual([
    "artifacts/latents.npy",
    "config.yaml",
    "events.jsonl",
    "result.json",
  ]);
  expect(await manifestFaults(dir, files, true)).toEqual([]);
  writeFileSync(join(run.artifacts, "latents.npy"), "2");
  expect(await manifestFaults(dir, files)).toEqual([]);
  expect(await manifestFaults(dir, files, true)).toEqual(["artifacts/latents.npy has other content than was written"]);
});

test("a heartbeat that is on its way when the run is finished is waited for", async () => {
  const run = await open();
  for (let i = 0; i < 20; i++) writeFileSync(join(run.artifacts, `${i}.bin`), new Uint8Array(100_000));
  vi.advanceTimersByTime(1_000_000);
  const writing = () => readdirSync(dir).some((name) => name.endsWith(".tmp"));
  while (!writing()) await new Promise((resolve) => setImmediate(resolve));
  await run.finish("COMPLETED");
  const { files } = read("manifest.json") as { files: { path: string }[] };
  expect(files.map(({ path }) => path).filter((path) => path.endsWith(".tmp"))).toEqual([]);
  expect(readdirSync(dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("a run that throws is FAILED with its message, one that was stopped INTERRUPTED", async () => {
  const failing = finishRun(await open(), () => Promise.reject(new Error("loss is NaN")));
  await expect(failing).rejects.toThrow("loss is NaN");
  expect(await readRunRecord(dir)).toMatchObject({ status: "FAILED", error: "loss is NaN" });
  const stopped = finishRun(await open(), () => Promise.reject(new Interrupted()));
  await expect(stopped).rejects.toBeInstanceOf(Interrupted);
  expect(await readRunRecord(dir)).toMatchObject({ status: "INTERRUPTED" });
});

test("a run that is begun again keeps its start, counts the attempt and drops the result of before", async () => {
  const first = await open();
  await first.writeJson("result.json", { value: 1 });
  await first.finish("FAILED", "loss is NaN");
  vi.setSystemTime(5000);
  const again = await open();
  expect(again.record()).toMatchObject({ started: "1970-01-01T00:00:00.000Z", attempts: 2, status: "RUNNING" });
  expect(again.record()).not.toHaveProperty("error");
  expect(readdirSync(dir).sort()).toEqual(["artifacts", "config.yaml", "run.json", "run.lock"]);
});

test("what a killed attempt was writing is gone when the run is begun again", async () => {
  await finishRun(await open(), async () => {});
  const halfWritten = temporaryName(join(dir, "run.json"));
  for (const path of [halfWritten, join(dir, "artifacts", ".kept.tmp")]) writeFileSync(path, "{");
  await finishRun(await open(), async () => {});
  expect(readdirSync(dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(readdirSync(join(dir, "artifacts"))).toEqual([".kept.tmp"]);
});

test("a run that goes on in another process is refused, and its record is left alone", async () => {
  const run = await open();
  const record = readFileSync(join(dir, "run.json"), "utf8");
  await expect(open()).rejects.toThrow(`quick gmi is being computed by process ${process.pid}`);
  expect(readFileSync(join(dir, "run.json"), "utf8")).toBe(record);
  await run.finish("COMPLETED");
  expect(readdirSync(dir)).not.toContain("run.lock");
});

test("a folder without a record is no run folder", async () => {
  await expect(readRunRecord(tmpdir())).rejects.toThrow("no run folder");
});
