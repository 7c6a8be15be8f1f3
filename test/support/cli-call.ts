import { EventEmitter } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Modules } from "../../src/cli/modules.ts";
import { runCli } from "../../src/cli/program.ts";
import { cell as madeUpCell, study as madeUpStudy } from "./study-result.ts";

/** A rate, wherever its value does not matter. */
export const measured = { value: 0.5, n: 100, low: 0.4, high: 0.6 };

/** A cell of an attack that is no better than its floors; its natural accuracy and distance can be told from its other numbers. */
export const cell = madeUpCell({
  defense: "tl-dmi",
  attack: "gmi",
  trainableParameters: 1000,
  naturalAccuracy: { ...measured, value: 0.912 },
  attackAccuracy: measured,
  knnDistance: { value: 1.8372, n: 100, low: 1.6, high: 2.1 },
  floors: { randomPrior: measured, initialSelection: measured },
  attributeRecovery: [],
  run: "cells/tl-dmi-gmi-seed1",
  identities: [],
});

/** A finished study of that cell alone. */
export const study = madeUpStudy([cell], { name: "quick", config: "name: quick\n", timings: [] });

/** How a cell fails. */
export const failed = { defense: "none", attack: "gmi", seed: 1, message: "loss is NaN" };

/** In the place of a module that the command at hand has no business with. */
export const nowhere = () => Promise.reject(new Error("not needed by this test"));

/** Modules none of which may be asked for. */
export const ended: Modules = {
  pipeline: nowhere,
  estimator: nowhere,
  exporter: nowhere,
  fisher: nowhere,
  frontier: nowhere,
  report: nowhere,
  gate: nowhere,
  decide: nowhere,
  verify: nowhere,
  userStudy: nowhere,
  audit: nowhere,
  auditReport: nowhere,
  server: nowhere,
  shard: nowhere,
  sideBySide: nowhere,
  grid: nowhere,
  worker: nowhere,
  tracking: nowhere,
  schedulers: nowhere,
  runtime: nowhere,
  list: nowhere,
};

type RunStudy = Awaited<ReturnType<Modules["pipeline"]>>["runStudy"];

/** Modules whose study run is `runStudy`. */
export function withRun(runStudy: RunStudy): Modules {
  return {
    ...ended,
    pipeline: async () => ({ runStudy, planStudy: nowhere }),
    report: async () => ({
      writeReport: async (dir, { includePrivate }) => join(dir, `${includePrivate}.html`),
      writeFisherChart: nowhere,
      writeFrontierChart: nowhere,
    }),
  };
}

/** Calls the program and gives all that the outside sees of it. */
export async function call(args: string, modules: Modules = ended, signals = new EventEmitter(), env = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const left: number[] = [];
  const io = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    env,
    signals,
    exitNow: (code: number) => void left.push(code),
  };
  const code = await runCli(args === "" ? [] : args.split(" "), io, modules);
  return { code, out: out.join(""), err: err.join(""), left };
}

/** A study's folder with that result, or whatever stands in its place. */
export function studyFolder(result: object): string {
  const dir = mkdtempSync(join(tmpdir(), "tldmi-"));
  writeFileSync(join(dir, "study.json"), JSON.stringify(result));
  return dir;
}
