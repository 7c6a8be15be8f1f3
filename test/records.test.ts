import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeReport } from "../src/report/index.ts";
import { readEvidence } from "../src/report/paper/index.ts";
import type { StudyEvent } from "../src/study/events.ts";
import { runStudy } from "../src/study/pipeline.ts";
import { expectPublishedResults } from "./support/published-results.ts";
import { twoTargetsStudy } from "./support/two-targets-study.ts";

const study = (attacks: string) => twoTargetsStudy("recorded", attacks, 1);
const GMI = "{ kind: gmi, iterations: 2 }";
const LONGER = "{ kind: gmi, iterations: 3 }";

let root = "";
let recordsDir = "";

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "records-"));
  recordsDir = join(root, "records/recorded");
});
afterAll(() => rm(root, { recursive: true }));

/** A run in a folder of runs of its own, as on another machine. */
async function on(machine: string, attacks: string) {
  const events: StudyEvent[] = [];
  const studyFile = join(root, `${machine}.yaml`);
  await writeFile(studyFile, study(attacks));
  const { result, studyDir } = await runStudy({
    studyFile,
    runsDir: join(root, machine),
    recordsDir,
    includePrivate: false,
    threads: 1,
    signal: new AbortController().signal,
    events: (event) => events.push(event),
  });
  const computed = events.flatMap((e) => (e.type === "step-started" ? [e.step] : []));
  return { result, studyDir, computed };
}

test("another machine goes on where the records end, and a damaged record is named", async () => {
  const first = await on("first", GMI);
  await expectPublishedResults(first.studyDir, first.result);
  expect(first.computed).toContain("target none, seed 1");
  const files = (await readdir(recordsDir)).toSorted();
  expect(files).toHaveLength(2);
  const record = JSON.parse(await readFile(join(recordsDir, files[0]!), "utf8"));
  expect(record).toMatchObject({ schemaVersion: 1, study: "recorded", result: first.result.cells[0] });
  expect(Object.keys(record.seconds).toSorted()).toEqual(["attack", "evaluation", "prior", "target"]);

  const known = { root, studyFile: join(root, "first.yaml"), results: root, runsDir: join(root, "elsewhere") };
  const evidence = await readEvidence(known);
  expect(evidence).toMatchObject({ name: "recorded", file: "first.yaml", model: "resnet10", pretraining: "faces" });
  expect(evidence.cells.map(({ result }) => result)).toEqual(first.result.cells);
  expect(evidence.cells.map(({ file }) => file).toSorted()).toEqual(files.map((file) => `records/recorded/${file}`));

  const second = await on("second", GMI);
  expect(second.result.cells).toEqual(first.result.cells);
  expect(second.computed.filter((step) => /target|attack|gmi/.test(step))).toEqual([]);
  await expect(stat(join(second.studyDir, "cells"))).rejects.toThrow("ENOENT");
  // Without pictures the report still stands.
  expect((await stat(await writeReport(second.studyDir, { includePrivate: false }))).size).toBeGreaterThan(10_000);

  await writeFile(join(root, "first.yaml"), study(LONGER));
  expect(
    (await readEvidence(known)).cells.map(({ file }) => file),
    "other settings have no record",
  ).toEqual([undefined, undefined]);
  const other = await on("second", LONGER);
  expect(other.computed, "another setting is another cell").toContain("target none, seed 1");
  expect(await readdir(recordsDir)).toHaveLength(4);

  await writeFile(join(recordsDir, files[0]!), "{");
  const third = await on("second", GMI);
  expect(third.result.failed).toEqual([
    expect.objectContaining({ message: expect.stringContaining(`${files[0]}: not JSON; remove it`) }),
  ]);
});
