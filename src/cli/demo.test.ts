import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { cell, rate, study } from "../../test/support/study-result.ts";
import { demoAssets, demoStudy } from "../study/demo.ts";
import type { RunStudyOptions } from "../study/pipeline.ts";
import type { StudyResult } from "../study/result.ts";
import { modules as real } from "./modules.ts";
import { runCli } from "./program.ts";

const undefended = cell({ defense: "none", boundary: null, attack: "gmi" });
const defended = cell({ defense: "tl-dmi", attack: "gmi", attackAccuracy: rate(0.31) });

const nowhere = () => Promise.reject(new Error("not needed by this test"));

/** Calls the program with a study that has ended so. */
async function demo(result: StudyResult, ...args: string[]) {
  const asked: RunStudyOptions[] = [];
  const out: string[] = [];
  const err: string[] = [];
  const modules = {
    ...real,
    pipeline: async () => ({
      planStudy: nowhere,
      runStudy: async (options: RunStudyOptions) => {
        asked.push(options);
        return { result, studyDir: "runs/demo" };
      },
    }),
    report: async () => ({
      writeReport: async () => "runs/demo/report/index.html",
      writeFisherChart: nowhere,
      writeFrontierChart: nowhere,
    }),
  };
  const stream = (to: string[]) => ({ write: (text: string) => to.push(text) });
  const io = { stdout: stream(out), stderr: stream(err), env: {}, signals: new EventEmitter(), exitNow: () => {} };
  const code = await runCli(["demo", ...args], io, modules);
  return { code, asked, out: out.join("").replaceAll("\u00a0", " "), err: err.join("") };
}

test("the demo runs its own study, with the targets that only it finds", async () => {
  const { code, asked } = await demo(study([undefended, defended]), "--runs", "elsewhere", "--threads", "1");
  expect(code).toBe(0);
  expect(asked).toMatchObject([
    { studyFile: demoStudy, shipped: [demoAssets], runsDir: "elsewhere", threads: 1, includePrivate: false },
  ]);
});

test("it shows both classifiers with intervals and floors, what that means, and where to go on", async () => {
  const { out, err } = await demo(study([undefended, defended]));
  const [titles, first, second] = out.split("\n");
  expect(titles!.split(/ {2,}/)).toEqual(["defense", "natural %", "recognised %", "random samples %", "best start %"]);
  expect(first).toMatch(
    /^none +94\.0 \[[\d., ]+\] +71\.0 \[66\.0, 76\.0\] +4\.0 \[2\.0, 6\.0\] +24\.0 \[19\.0, 29\.0\]$/,
  );
  expect(second).toMatch(/^tl-dmi .* 31\.0 \[26\.0, 36\.0\] /);
  expect(out).toContain("Brackets: 95 % intervals");
  expect(out).toContain("31 % [26, 36], 54.0 points [40.4, 67.6] less, at");
  expect(out).toContain("tldmi run examples/quickstart.yaml");
  expect(out.trimEnd().split("\n").at(-1)).toBe("report: runs/demo/report/index.html");
  expect(err).toContain("has never seen these 50");
});

test("a failed cell is told and leaves with 4; --json is the study's result and nothing else", async () => {
  const failed = [{ defense: "tl-dmi", attack: "gmi", seed: 1, message: "loss is NaN" }];
  const told = await demo({ ...study([undefended]), status: "partial", failed });
  expect(told.code).toBe(4);
  expect(told.out).toContain("failed: tl-dmi: loss is NaN");
  const { code, out, err } = await demo(study([undefended, defended]), "--json", "--quiet");
  expect([code, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toMatchObject({ report: "runs/demo/report/index.html", cells: [{}, {}] });
});
