import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import type { FisherRecord } from "../study/fisher.ts";
import type { FrontierRecord } from "../study/frontier.ts";
import { Interrupted } from "../study/interrupted.ts";
import type { CellResult, StudyResult } from "../study/result.ts";
import type { Modules } from "./modules.ts";
import { runCli } from "./program.ts";

const measured = { value: 0.5, n: 100, low: 0.4, high: 0.6 };
const cell: CellResult = {
  schemaVersion: 1,
  defense: "tl-dmi",
  attack: "gmi",
  model: "resnet10",
  seed: 1,
  trainableParameters: 1000,
  frozenParameters: 2000,
  boundary: "layer2",
  naturalAccuracy: { ...measured, value: 0.912 },
  attackAccuracy: measured,
  attackAccuracyTop5: measured,
  knnDistance: { value: 1.8372, n: 100, low: 1.6, high: 2.1 },
  floors: { randomPrior: measured, initialSelection: measured },
  attributeRecovery: [],
  identities: [],
  evaluationModel: { kind: "vgg16_bn", naturalAccuracy: measured },
  run: "cells/tl-dmi-gmi-seed1",
};
const study: StudyResult = {
  schemaVersion: 1,
  name: "quick",
  status: "done",
  cells: [cell],
  failed: [],
  curves: [],
  notes: [],
  provenance: {},
  config: "name: quick\n",
  timings: [],
};
const failed = { defense: "none", attack: "gmi", seed: 1, message: "loss is NaN" };

const nowhere = () => Promise.reject(new Error("not needed by this test"));
const ended: Modules = {
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
function withRun(runStudy: RunStudy): Modules {
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
async function call(args: string, modules: Modules = ended, signals = new EventEmitter(), env = {}) {
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

describe("--device", () => {
  /** Calls a command with a runtime that has no devices but the processor, and says which were asked for. */
  async function asking(args: string) {
    const asked: string[] = [];
    const setDevice = (device: string) => {
      asked.push(device);
      return Promise.reject(new UserError(`device ${device} cannot be used here: no library; it needs one`));
    };
    const modules: Modules = {
      ...withRun(async () => ({ result: study, studyDir: "." })),
      runtime: async () => ({
        setDevice,
        runtimeInfo: () => ({ version: "1", backends: [], threads: 1 }),
        deviceStates: nowhere,
      }),
      list: async () => [],
      schedulers: async () => ({ slurmScript: async ({ device }) => `on ${device}\n`, kubernetesManifest: nowhere }),
    };
    return { ...(await call(args, modules)), asked };
  }

  test("is tried before a command that computes begins, and a missing one is one line and code 2", async () => {
    const { code, err, asked } = await asking("run study.yaml --device cuda");
    expect([code, asked]).toEqual([2, ["cuda"]]);
    expect(err).toBe("error: device cuda cannot be used here: no library; it needs one\n");
    for (const command of ["worker", "frontier s.yaml", "fisher r", "validate s.yaml --estimate", "grid s.yaml"])
      expect((await asking(`--device webgpu ${command}`)).asked).toEqual(["webgpu"]);
  });

  test("is the processor where nothing is said, and no matter to commands that do not compute", async () => {
    expect((await asking("run study.yaml")).asked).toEqual([]);
    expect((await asking("--device cuda ls attacks")).asked).toEqual([]);
  });

  test("of a script for a scheduler is that of its machines", async () => {
    expect(await asking("grid s.yaml --emit slurm --device cuda")).toMatchObject({
      code: 0,
      out: "on cuda\n",
      asked: [],
    });
  });

  test("that there is no such thing as is a mistake of use", async () => {
    expect(await call("run s.yaml --device gpu")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Allowed choices are cpu, cuda, webgpu, coreml, dml"),
    });
  });
});

describe("serve", () => {
  /** Serves until Ctrl-C, which comes as soon as it listens. */
  async function serving(args: string, env: Record<string, string> = {}, token?: string) {
    const asked: object[] = [];
    const signals = new EventEmitter();
    let closed = false;
    const modules: Modules = {
      ...ended,
      server: async () => ({
        async serve(options) {
          asked.push(options);
          setImmediate(() => signals.emit("SIGINT"));
          const close = async () => {
            closed = true;
          };
          return { url: "http://127.0.0.1:4173/", token: options.token ?? token, close };
        },
      }),
    };
    return { ...(await call(args, modules, signals, env)), asked, closed: () => closed };
  }

  test("listens on this machine alone, prints where, and closes at Ctrl-C", async () => {
    const { code, out, err, asked, closed } = await serving("serve");
    expect([code, out, closed()]).toEqual([0, "http://127.0.0.1:4173/\n", true]);
    expect(err).toContain("stopping: waiting for studies to save a checkpoint");
    expect(asked).toEqual([{ runsDir: "runs", host: "127.0.0.1", port: 4173, names: [] }]);
  });

  test("prints a token that was made, never one that was given", async () => {
    const made = await serving("serve --host 0.0.0.0 --port 0 --json", {}, "made-at-random");
    expect(JSON.parse(made.out)).toEqual({ url: "http://127.0.0.1:4173/", token: "made-at-random" });
    expect(made.err).toContain("not encrypted");
    const given = await serving("serve --host 0.0.0.0 --name a --name b", { TLDMI_TOKEN: "given-by-somebody" });
    expect(given.asked).toMatchObject([{ host: "0.0.0.0", names: ["a", "b"], token: "given-by-somebody" }]);
    expect(given.out + given.err).not.toContain("given-by-somebody");
  });

  test.each(["-1", "65536", "x", "1.5"])("a port of %s is refused", async (port) => {
    expect(await call(`serve --port ${port}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining("from 0 to 65535"),
    });
  });
});

describe("usage", () => {
  test("help and version are results and leave with 0", async () => {
    expect(await call("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+/), err: "" });
    const help = await call("--help");
    expect(help).toMatchObject({ code: 0, err: "" });
    for (const word of [
      "run",
      "grid",
      "worker",
      "validate",
      "ls",
      "report",
      "doctor",
      "export",
      "user-study",
      "gate",
      "compare",
      "verify",
      "explain",
      "serve",
      "--json",
    ])
      expect(help.out).toContain(word);
  });

  test.each([
    ["", "Usage: tldmi"],
    ["rum a.yaml", "Did you mean run?"],
    ["run", "missing required argument 'study'"],
    ["run a.yaml --jsn", "Did you mean --json?"],
    ["run a.yaml --threads 0", "expected a positive whole number"],
    ["run a.yaml b.yaml", "too many arguments"],
    ["ls attack", "Allowed choices are attacks, defenses"],
    ["user-study make runs/x", "required option '--out <dir>' not specified"],
    ["user-study make runs/x --out d --questions 0", "expected at least 1"],
    ["user-study make runs/x --out d --seed -1", "expected a whole number"],
    ["user-study score pack", "missing required argument 'answers'"],
    ["run a.yaml --shard 9/8", "expected a shard and how many there are, such as 1/8"],
    ["run a.yaml --shard 0/8", "expected a shard and how many there are, such as 1/8"],
    ["grid a.yaml", "expected --queue with the address of a Redis or PostgreSQL server, or --emit"],
    ["grid a.yaml --emit pbs", "Allowed choices are slurm, kubernetes"],
    ["grid a.yaml --queue redis://h --priority 1001", "expected a whole number from 1 to 1000"],
    ["worker", "expected --queue with the address of a Redis or PostgreSQL server"],
    ["worker --queue redis://h --lease 1", "expected at least 2 seconds"],
    ["export runs/x", "expected one of --onnx and --safetensors"],
    ["export runs/x --onnx --safetensors", "expected one of --onnx and --safetensors"],
  ])("`tldmi %s` leaves with 2 and says what is wrong on stderr", async (args, message) => {
    expect(await call(args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
  });
});

describe("over many machines", () => {
  test("a grid gets its address from the environment, and ends as a run does", async () => {
    const seen: unknown[] = [];
    const modules: Modules = {
      ...withRun(nowhere),
      grid: async () => ({
        runGrid: async ({ events: _, signal: __, ...rest }) => {
          seen.push(rest);
          return { result: { ...study, failed: [failed] }, studyDir: "s" };
        },
      }),
    };
    const env = { TLDMI_QUEUE: "redis://h" };
    const { code, out } = await call("grid q.yaml --threads 2 --runs out --json", modules, new EventEmitter(), env);
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ name: "quick", failed: [failed] });
    const given = { studyFile: "q.yaml", runsDir: "out", queue: "redis://h", priority: 100, lease: 30, threads: 2 };
    expect(seen).toEqual([{ ...given, includePrivate: false }]);
  });

  test("a worker that is asked to stop says how many steps it did, and leaves as interrupted", async () => {
    const modules: Modules = { ...ended, worker: async () => ({ runWorker: async () => ({ steps: 3 }) }) };
    const { code, out } = await call("worker --queue redis://h --json", modules);
    expect([code, JSON.parse(out)]).toEqual([130, { steps: 3 }]);
  });

  test("workers compute side by side; one worker is a run without them", async () => {
    const asked: unknown[] = [];
    const modules: Modules = {
      ...ended,
      sideBySide: async () => ({
        runSideBySide: async ({ events: _, signal: __, ...options }) => {
          asked.push(options);
          throw new Error("far enough");
        },
      }),
    };
    await call("run q.yaml --workers 3 --threads 8 --runs r --records k", modules);
    expect(asked).toEqual([
      { studyFile: "q.yaml", runsDir: "r", includePrivate: false, threads: 8, recordsDir: "k", workers: 3 },
    ]);
    await call("run q.yaml --workers 1", modules);
    expect(asked).toHaveLength(1);
    expect(await call("run q.yaml --workers 2 --shard 1/8", modules)).toMatchObject({
      code: 2,
      err: expect.stringContaining("start several shards, or give --workers alone"),
    });
  });

  test("a shard says what it did and what comes next", async () => {
    const result = { schemaVersion: 1, study: "quick", shard: "2/8", cells: 5, of: 40, failed: [failed] } as const;
    const modules: Modules = { ...ended, shard: async () => ({ runShard: async () => ({ result, studyDir: "s" }) }) };
    const { code, out } = await call("run q.yaml --shard 2/8", modules);
    expect(code).toBe(4);
    expect(out).toBe(
      "failed: none, gmi, seed 1: loss is NaN\nshard 2/8: 4 of its 5 cells are computed, of 40 in all\nwhen all shards have ended: tldmi run q.yaml\n",
    );
  });

  test("a manifest for Kubernetes needs an image and a volume", async () => {
    const modules: Modules = {
      ...ended,
      schedulers: async () => ({ slurmScript: async () => "#!/bin/sh\n", kubernetesManifest: nowhere }),
    };
    expect(await call("grid q.yaml --emit kubernetes --image i", modules)).toMatchObject({
      code: 2,
      err: expect.stringContaining("also name a container image (--image) and a shared volume's claim (--claim)"),
    });
    expect(await call("grid q.yaml --emit slurm", modules)).toMatchObject({ code: 0, out: "#!/bin/sh\n" });
  });
});

describe("run", () => {
  test("prints exactly one JSON object, with paths from the working folder, and passes its options on", async () => {
    const seen: unknown[] = [];
    const modules = withRun(async ({ studyFile, runsDir, includePrivate, threads }) => {
      seen.push({ studyFile, runsDir, includePrivate, threads });
      return { result: study, studyDir: resolve("out/quick-1") };
    });
    const { code, out } = await call("run q.yaml --json --runs out --threads 3 --include-private", modules);
    expect(code).toBe(0);
    expect(seen).toEqual([{ studyFile: "q.yaml", runsDir: "out", includePrivate: true, threads: 3 }]);
    const { run: _, ...rest } = cell;
    const run = join("out", "quick-1", "cells", "tl-dmi-gmi-seed1");
    expect(JSON.parse(out)).toMatchObject({ cells: [{ ...rest, run }], report: join("out", "quick-1", "true.html") });
  });

  test("global options may stand before the command", async () => {
    const modules = withRun(async () => ({ result: study, studyDir: "s" }));
    expect(JSON.parse((await call("--json run q.yaml", modules)).out)).toMatchObject({ name: "quick" });
  });

  test("prints a table and the report's path for people; progress goes to stderr", async () => {
    const modules = withRun(async ({ events }) => {
      events({ type: "step-finished", step: "target none", id: "target-1", source: "run", seconds: 3 });
      return { result: study, studyDir: resolve("out") };
    });
    const { out, err } = await call("run q.yaml", modules);
    expect(out.replaceAll("\u00a0", " ").split("\n")).toEqual([
      expect.stringMatching(/^defense {2}attack {2}seed {2,}natural % {2,}top-1 %/),
      expect.stringMatching(/^tl-dmi {3}gmi {8}1 {2}91\.2 \[40\.0, 60\.0\] {2}50\.0 .* 1\.84 \[1\.60, 2\.10\]/),
      "",
      `report: ${join("out", "false.html")}`,
      "",
    ]);
    expect(err).toContain("✓ target none");
  });

  test("with --quiet says nothing but warnings", async () => {
    const modules = withRun(async ({ events }) => {
      events({ type: "step-started", step: "target none", id: "target-1", resumed: false });
      events({ type: "warning", message: "low memory" });
      return { result: study, studyDir: "s" };
    });
    expect((await call("run q.yaml --quiet", modules)).err).toBe("warning: low memory\n");
  });

  test("leaves with 4 where some cells failed, and names them", async () => {
    const modules = withRun(async () => ({ result: { ...study, status: "partial", failed: [failed] }, studyDir: "s" }));
    const { code, out } = await call("run q.yaml", modules);
    expect(code).toBe(4);
    expect(out).toContain("failed: none, gmi, seed 1: loss is NaN");
  });

  test("leaves with 2 for a mistake in the study, 1 for a bug; stdout stays empty", async () => {
    const mistaken = withRun(() => Promise.reject(new UserError("q.yaml:1:1  name  missing")));
    expect(await call("run q.yaml --json", mistaken)).toMatchObject({
      code: 2,
      out: "",
      err: "error: q.yaml:1:1  name  missing\n",
    });
    const broken = withRun(() => Promise.reject(new TypeError("x is undefined")));
    expect(await call("run q.yaml --json", broken)).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("report it"),
    });
  });
});

describe("gate", () => {
  const weighed = {
    ...cell,
    floors: { randomPrior: { ...measured, high: 0.1 }, initialSelection: { ...measured, high: 0.2 } },
  };
  const gating: Modules = { ...ended, gate: () => import("../report/gate/index.ts") };
  const folder = (result: StudyResult = { ...study, cells: [weighed] }) => {
    const dir = mkdtempSync(join(tmpdir(), "tldmi-"));
    writeFileSync(join(dir, "study.json"), JSON.stringify(result));
    return dir;
  };

  test("leaves with 0 where every bound holds, with 3 where one does not, and says which", async () => {
    const dir = folder();
    const held = await call(`gate ${dir} --max attack.top1=0.6 --min natural=0.3`, gating);
    expect(held).toMatchObject({ code: 0, err: "" });
    expect(held.out).toMatch(/^cell +demand +outcome +measured\ntl-dmi-gmi-seed1 {2}attack\.top1 ≤ 0\.6 +holds/);
    expect(held.out).toContain("\n\ngate passed: 3 of 3 checks\n");
    const broken = await call(`gate ${dir} --max attack.top1=0.55`, gating);
    expect(broken.code).toBe(3);
    expect(broken.out).toMatch(
      /attack\.top1 ≤ 0\.55 +not shown +attack\.top1 is 0\.5 \[0\.4, 0\.6\]: its interval reaches above/,
    );
    expect(broken.out).toContain("gate failed: 1 of 2 checks");
  });

  test("does not let a weak attack pass, unless that is asked for", async () => {
    const dir = folder(study);
    expect(await call(`gate ${dir} --max attack.top1=0.9`, gating)).toMatchObject({
      code: 3,
      out: expect.stringContaining("weak attack"),
    });
    const accepted = await call(`gate ${dir} --max attack.top1=0.9 --allow-weak-attack`, gating);
    expect(accepted).toMatchObject({ code: 0, out: expect.stringContaining("accepted as asked") });
  });

  test("prints one JSON object, and writes its files beside it", async () => {
    const dir = folder();
    const files = `--junit ${dir}/ci/gate.xml --markdown ${dir}/ci/gate.md`;
    const { code, out, err } = await call(
      `gate ${dir} --max attack.top5=0.1 --json --annotations github ${files}`,
      gating,
    );
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      name: "quick",
      passed: false,
      checks: [{ outcome: "broken" }, { outcome: "holds" }],
    });
    expect(err).toMatch(/^::error title=/);
    expect(readFileSync(join(dir, "ci/gate.xml"), "utf8")).toContain("<testsuites");
    expect(readFileSync(join(dir, "ci/gate.md"), "utf8")).toContain("### Gate of quick failed");
  });

  test("annotates by itself in a job of GitHub Actions", async () => {
    const dir = folder();
    const job = { GITHUB_ACTIONS: "true" };
    expect((await call(`gate ${dir} --min natural=0.9`, gating, undefined, job)).err).toMatch(/^::error /);
    expect((await call(`gate ${dir} --min natural=0.9 --annotations none`, gating, undefined, job)).err).toBe("");
  });

  test("hints where only undefended targets break", async () => {
    const both = {
      ...study,
      cells: [{ ...weighed, defense: "none", attackAccuracy: { ...measured, high: 0.9 } }, weighed],
    };
    const { code, out } = await call(`gate ${folder(both)} --max attack.top1=0.7`, gating);
    expect(code).toBe(3);
    expect(out).toContain("choose what is judged with --defense");
    expect((await call(`gate ${folder(both)} --max attack.top1=0.7 --defense tl-dmi`, gating)).code).toBe(0);
  });

  test.each([
    ["--max attack.top1", "expected NAME=NUMBER"],
    ["--max attack.top1=", "expected NAME=NUMBER"],
    ["--min natural=high", "expected NAME=NUMBER"],
    ["--max natural=1 --max natural=0.5", "natural has a bound already"],
    [
      "--max atack.top1=0.3",
      'unknown metric "atack.top1"; did you mean "attack.top1"? (metrics: natural, attack.top1,',
    ],
    ["--max attack.top1=0.3 --attack kedmi", 'no cell has the attack "kedmi"'],
    ["--annotations gitea", "Allowed choices are github, none"],
    ["", "no bounds: expected --max NAME=NUMBER"],
  ])("refuses `%s` with 2", async (wrong, message) => {
    expect(await call(`gate ${folder()} ${wrong}`.trim(), gating)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining(message),
    });
  });

  test("of a study's own file is judged when the run ends", async () => {
    const check = { defense: "tl-dmi", attack: "gmi", seed: 1, demand: "natural ≥ 0.9", message: "natural is 0.5" };
    const verdict = (passed: boolean) => ({
      passed,
      checks: [{ ...check, outcome: passed ? ("holds" as const) : ("broken" as const), passed }],
    });
    const running = (passed: boolean, status: "done" | "partial" = "done") =>
      withRun(async () => ({
        result: { ...study, status, failed: status === "done" ? [] : [failed], gate: verdict(passed) },
        studyDir: "s",
      }));
    expect((await call("run q.yaml", running(true))).code).toBe(0);
    expect((await call("run q.yaml", running(true, "partial"))).code).toBe(4);
    expect(await call("run q.yaml", running(false, "partial"))).toMatchObject({
      code: 3,
      out: expect.stringContaining("gate failed: 1 of 1 checks"),
    });
    const { code, out } = await call("run q.yaml --json", running(false));
    expect([code, JSON.parse(out).gate]).toEqual([3, verdict(false)]);
  });
});

describe("compare, verify and explain", () => {
  const basis = { train: "a", test: "b", evaluationModel: "c" };
  const real: Modules = {
    ...ended,
    decide: () => import("../report/decide.ts"),
    verify: () => import("../study/verify.ts"),
  };
  const folder = (...cells: CellResult[]) => {
    const dir = mkdtempSync(join(tmpdir(), "tldmi-"));
    writeFileSync(join(dir, "study.json"), JSON.stringify({ ...study, cells }));
    return dir;
  };

  test("compare shows both, the difference with its interval, and whether intervals are apart", async () => {
    const first = folder({ ...cell, basis });
    const second = folder({ ...cell, basis, attackAccuracy: { value: 0.2, n: 100, low: 0.15, high: 0.25 } });
    const { code, out } = await call(`compare ${first} ${second}`, real);
    expect(code).toBe(0);
    expect(out).toMatch(
      /attack\.top1 +0\.500 \[0\.400, 0\.600\] +0\.200 \[0\.150, 0\.250\] +−0\.300 \[−0\.412, −0\.188\] +better\n/,
    );
    expect(out).toMatch(/natural +.* no difference shown\n/);
    expect(out).toMatch(/parameters\.trainable +1\u202f000 +1\u202f000 +0 +the same\n/);
    expect(JSON.parse((await call(`compare ${first} ${second} --json`, real)).out)).toMatchObject({
      pairs: [{ first: cell.run, second: cell.run, settings: [] }],
      unpaired: { first: [], second: [] },
    });
    const other = folder({ ...cell, basis: { ...basis, test: "x" } });
    expect(await call(`compare ${first} ${other}`, real)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("are not comparable:\n  other data: the private test images differ"),
    });
  });

  test("verify leaves with 3 for what is changed or missing, and for what came later only where that is asked for", async () => {
    const dir = folder();
    const sha256 = createHash("sha256").update("x").digest("hex");
    writeFileSync(join(dir, "a"), "x");
    writeFileSync(
      join(dir, "manifest.json"),
      JSON.stringify({ schemaVersion: 1, files: [{ path: "a", bytes: 1, sha256 }] }),
    );
    const later = "extra    study.json\n1 of 1 files are as they were written\n";
    expect(await call(`verify ${dir}`, real)).toMatchObject({ code: 0, out: later });
    expect((await call(`verify ${dir} --strict`, real)).code).toBe(3);
    writeFileSync(join(dir, "a"), "y");
    expect(await call(`verify ${dir}`, real)).toMatchObject({
      code: 3,
      out: expect.stringMatching(/^changed {2}a\n.*\n0 of 1 files/),
    });
    expect(JSON.parse((await call(`verify ${dir} --json`, real)).out)).toMatchObject({ passed: false, changed: ["a"] });
  });

  test("explain prints parts with titles", async () => {
    const { code, out } = await call(`explain ${folder(cell)}`, real);
    expect(code).toBe(0);
    expect(out).toMatch(/^What was attacked\n- .*\n\nHow\n- gmi: .*\n\nWhat came out\n- /s);
    expect(JSON.parse((await call(`explain ${folder(cell)} --json`, real)).out)).toHaveLength(5);
  });
});

describe("Ctrl-C", () => {
  const hearing = (signals: EventEmitter, name: string, times: number) =>
    withRun(async ({ signal }) => {
      for (let i = 0; i < times; i++) signals.emit(name);
      if (signal.aborted) throw new Interrupted("target");
      return { result: study, studyDir: "s" };
    });

  test.each(["SIGINT", "SIGTERM"])("once (%s) lets the study save and stop, and leaves with 130", async (name) => {
    const signals = new EventEmitter();
    const { code, out, err, left } = await call("run q.yaml --json", hearing(signals, name, 1), signals);
    expect({ code, out, left }).toEqual({ code: 130, out: "", left: [] });
    expect(err).toMatch(/saving a checkpoint first; once more to leave at once\n[\s\S]*run the same command to resume/);
  });

  test("twice leaves at once", async () => {
    const signals = new EventEmitter();
    expect((await call("run q.yaml", hearing(signals, "SIGINT", 2), signals)).left).toEqual([130]);
  });

  test("is nobody's business once the command is over", async () => {
    const signals = new EventEmitter();
    await call("run q.yaml", hearing(signals, "SIGINT", 0), signals);
    expect(signals.eventNames()).toEqual([]);
  });
});

describe("validate", () => {
  const planned: Modules = {
    ...ended,
    pipeline: async () => ({
      runStudy: nowhere,
      planStudy: async () => [
        { name: "start weights", id: "0123456789abcdef", state: "shipped" },
        { name: "target none, seed 1", id: "fedcba9876543210", state: "resumes" },
      ],
    }),
  };

  test("shows each step and how far it is", async () => {
    expect(await call("validate q.yaml", planned)).toMatchObject({
      code: 0,
      err: "",
      out: [
        "state    step                 id",
        "shipped  start weights        0123456789abcdef",
        "resumes  target none, seed 1  fedcba9876543210",
        "",
        "q.yaml is valid: 2 steps, 1 to do",
        "",
      ].join("\n"),
    });
  });

  test("prints the steps as JSON", async () => {
    const { out } = await call("validate q.yaml --json", planned);
    expect(JSON.parse(out)).toMatchObject({ study: "q.yaml", steps: [{ state: "shipped" }, { state: "resumes" }] });
  });

  const estimated: Modules = {
    ...ended,
    estimator: async () => ({
      estimateStudy: async ({ threads }) => [
        { name: "start weights", id: "0123", state: "shipped", needs: [] },
        {
          name: "target none",
          id: "4567",
          state: "to do",
          needs: ["0123"],
          cost: { seconds: 60 * threads },
          basis: "finished",
        },
        {
          name: "lokt on none",
          id: "89ab",
          state: "to do",
          needs: ["4567"],
          cost: { seconds: 5, queries: 12_000 },
          basis: "rehearsed",
        },
        { name: "judge", id: "cdef", state: "to do", needs: [], basis: { unknown: "asks a judge outside" } },
      ],
    }),
  };

  test("says what each step takes, where it is asked to", async () => {
    expect(await call("validate q.yaml --estimate --threads 2", estimated)).toMatchObject({
      code: 0,
      out: [
        "state          time  queries  step           id",
        "shipped                       start weights  0123",
        "to do    2\u00a0min\u00a000\u00a0s           target none    4567",
        "to do         5.0\u00a0s   12\u202f000  lokt on none   89ab",
        "to do             ?           judge          cdef",
        "judge: asks a judge outside",
        "",
        "q.yaml is valid: 4 steps, 3 to do, about 2\u00a0min\u00a005\u00a0s with 2 threads, and 1 of unknown cost",
        "",
      ].join("\n"),
    });
  });

  test("says what several workers take, each with its share of the threads", async () => {
    const { out } = await call("validate q.yaml --estimate --threads 4 --workers 4", estimated);
    expect(out, "the attack waits for its target").toContain(
      "about 1\u00a0min\u00a005\u00a0s with 4 workers of 1 thread, and 1 of unknown cost",
    );
  });

  test("leaves out what records stand for, where it is told of a folder of them", async () => {
    const asked: unknown[] = [];
    const planStudy = async (options: object) => {
      asked.push(options);
      return [];
    };
    await call("validate q.yaml --runs r --records k", {
      ...ended,
      pipeline: async () => ({ runStudy: nowhere, planStudy }),
    });
    expect(asked).toEqual([{ studyFile: "q.yaml", runsDir: "r", recordsDir: "k" }]);
  });

  test("prints the estimate as JSON", async () => {
    const { out } = await call("validate q.yaml --estimate --threads 2 --json", estimated);
    expect(JSON.parse(out)).toMatchObject({
      study: "q.yaml",
      seconds: 125,
      unknown: 1,
      steps: [{}, {}, { cost: { queries: 12_000 } }, {}],
    });
  });
});

describe("ls", () => {
  const gmi = {
    kind: "gmi",
    summary: "gradient descent in the latent space of a GAN",
    access: "white-box",
    config: z.object({ steps: z.int().default(1500).describe("of descent") }),
    run: () => {},
  };
  const listed: Modules = { ...ended, list: async (name) => (name === "attacks" ? [gmi] : []) };

  test("prints kinds and summaries for people", async () => {
    expect((await call("ls attacks", listed)).out).toBe(
      "kind  summary\ngmi   gradient descent in the latent space of a GAN\n",
    );
  });

  test("names the preset of those that have one", async () => {
    const preset: Modules = { ...ended, list: async () => [{ ...gmi, quick: { steps: 40 } }] };
    expect((await call("ls attacks", preset)).out).toMatch(/^kind +preset +summary\ngmi +quick +gradient descent/);
    expect(JSON.parse((await call("ls attacks --json", preset)).out)).toMatchObject([
      { presets: { quick: { steps: 40 } } },
    ]);
  });

  test("prints an array of plain facts, with the keys of the config as a JSON Schema", async () => {
    const { run: _, config: __, ...facts } = gmi;
    const steps = { default: 1500, description: "of descent", type: "integer" };
    expect(JSON.parse((await call("ls attacks --json", listed)).out)).toMatchObject([
      { ...facts, config: { properties: { steps } } },
    ]);
    expect(JSON.parse((await call("ls priors --json", listed)).out)).toEqual([]);
  });
});

describe("report", () => {
  const reporting: Modules = {
    ...ended,
    report: async () => ({
      writeReport: async (dir) => join(dir, "index.html"),
      writeFisherChart: nowhere,
      writeFrontierChart: nowhere,
    }),
  };
  const folder = () => mkdtempSync(join(tmpdir(), "tldmi-"));

  test("of a study's folder is built there", async () => {
    const dir = folder();
    writeFileSync(join(dir, "study.json"), "{}");
    expect(await call(`report ${dir}`, reporting)).toMatchObject({ code: 0, out: `${join(dir, "index.html")}\n` });
    expect(JSON.parse((await call(`report ${dir} --json`, reporting)).out)).toEqual({
      report: join(dir, "index.html"),
    });
  });

  test("of a folder that is missing or holds no run says so", async () => {
    const dir = folder();
    expect(await call(`report ${dir}`, reporting)).toMatchObject({
      code: 2,
      err: expect.stringContaining("no run of a"),
    });
    expect(await call(`report ${dir}/x`, reporting)).toMatchObject({
      code: 2,
      err: expect.stringContaining("no such"),
    });
  });
});

test("export passes the format and the file on, and prints where it is", async () => {
  const seen: unknown[] = [];
  const exporting: Modules = {
    ...ended,
    exporter: async () => ({
      exportRun: async (run, options) => {
        seen.push([run, options]);
        return "model.onnx";
      },
    }),
  };
  expect(await call("export runs/x --onnx", exporting)).toMatchObject({ code: 0, out: "model.onnx\n" });
  await call("export runs/x --safetensors --out w.safetensors", exporting);
  expect(seen).toEqual([
    ["runs/x", { format: "onnx" }],
    ["runs/x", { format: "safetensors", out: "w.safetensors" }],
  ]);
});

describe("user-study", () => {
  const measured = (value: number, low: number, high: number) => ({ value, n: 40, low, high });
  const score = {
    pack: "0123456789ab",
    study: "quick",
    attack: "gmi",
    conditions: ["no defense", "tl-dmi"] as const,
    preference: measured(0.75, 0.6, 0.85),
    left: measured(0.5, 0.4, 0.6),
    participants: [{ participant: "a", answered: 40, first: 30, seconds: 2 }],
    questions: 40,
  };
  const people = (preference = score.preference, seen: unknown[] = []): Modules => ({
    ...ended,
    userStudy: async () => ({
      makeUserStudy: async (dir, options) => {
        seen.push([dir, options]);
        return { page: "p/index.html", key: "p/key.json", questions: 40, conditions: ["no defense", "tl-dmi"] };
      },
      scoreUserStudy: async (pack, files) => {
        seen.push([pack, files]);
        return { ...score, preference };
      },
    }),
  });

  test("make passes its options on, and says what is for whom", async () => {
    const dir = mkdtempSync(join(tmpdir(), "tldmi-"));
    writeFileSync(join(dir, "study.json"), "{}");
    const seen: unknown[] = [];
    const { code, out } = await call(
      `user-study make ${dir} --out p --attack gmi --compare none mid --questions 9 --seed 4`,
      people(undefined, seen),
    );
    expect(code).toBe(0);
    expect(seen).toEqual([[dir, { out: "p", attack: "gmi", conditions: ["none", "mid"], questions: 9, seed: 4 }]]);
    expect(out).toBe(
      "p/index.html\n  for participants: 40 questions; it shows private images\n" +
        "p/key.json\n  for you alone: which image is of no defense, which of tl-dmi\n",
    );
  });

  test.each([
    [measured(0.75, 0.6, 0.85), "75.0 % [60.0, 85.0]: reconstructions under no defense look more like the person"],
    [measured(0.25, 0.15, 0.4), "25.0 % [15.0, 40.0]: reconstructions under tl-dmi look more like the person"],
    [measured(0.55, 0.4, 0.7), "55.0 % [40.0, 70.0]: no difference is shown"],
  ])("score says what the choices show", async (preference, words) => {
    const seen: unknown[] = [];
    const { out } = await call("user-study score p a.json b.json", people(preference, seen));
    expect(seen).toEqual([["p", ["a.json", "b.json"]]]);
    expect(out.replaceAll("\u00a0", " ")).toBe(
      "gmi: no defense against tl-dmi, 40 choices of 1 participant\n" +
        `no defense was chosen in ${words}\nthe image on the left was chosen in 50.0 % [40.0, 60.0]\n`,
    );
    expect(JSON.parse((await call("user-study score p a.json --json", people(preference))).out)).toMatchObject({
      pack: "0123456789ab",
      preference,
    });
  });
});

describe("fisher", () => {
  const stage = (name: string, c: number, i: number) => ({
    stage: name,
    classification: 0.25,
    inversion: 3,
    frozen: { classification: c, inversion: i },
  });
  const record: FisherRecord = {
    schemaVersion: 1,
    target: "none",
    attack: "gmi",
    settings: { form: "per-example", labels: "empirical", identities: 20, points: 10 },
    images: { classification: 12, inversion: 40 },
    layers: [],
    boundary: "layer1.0",
    stages: [stage("layer1.0", 0.1, 0.6), stage("layer2.0", 1, 1)],
  };
  const seen: object[] = [];
  const analysing: Modules = {
    ...ended,
    fisher: async () => ({
      async fisherOfRun({ events: _, signal: __, ...options }) {
        seen.push(options);
        return { record, file: "fisher.json" };
      },
    }),
    report: async () => ({
      writeReport: nowhere,
      writeFisherChart: async (dir) => join(dir, "fisher.svg"),
      writeFrontierChart: nowhere,
    }),
  };

  test("shows the stages, the boundary and where the files are", async () => {
    const { code, out } = await call("fisher runs/x --threads 1", analysing);
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      "stage     classification  inversion  frozen: classification  inversion",
      "layer1.0           0.250       3.00                    10\u00a0%       60\u00a0%",
      "layer2.0           0.250       3.00                   100\u00a0%      100\u00a0%",
      "",
      "recommended boundary: layer1.0",
      "",
      "layers: fisher.json",
      `chart: ${join("runs/x", "fisher.svg")}`,
      "",
    ]);
    expect(seen.at(-1)).toEqual({ run: "runs/x", ...record.settings, threads: 1 });
  });

  test("passes its options on", async () => {
    const { out } = await call(
      "fisher x --reference-code --labels true --identities 3 --points 4 --study s.yaml --threads 2 --json",
      analysing,
    );
    expect(JSON.parse(out)).toMatchObject({ boundary: "layer1.0", file: "fisher.json" });
    const settings = { form: "batch-mean", labels: "true", identities: 3, points: 4 };
    expect(seen.at(-1)).toEqual({ run: "x", ...settings, studyFile: "s.yaml", threads: 2 });
    for (const told of ["--runs elsewhere fisher x", "fisher x --runs elsewhere", "fisher --runs runs x"]) {
      await call(told, analysing);
      expect(seen.at(-1)).toMatchObject({ run: "x", runsDir: told.includes("elsewhere") ? "elsewhere" : "runs" });
    }
  });

  test.each(["--labels mine", "--points 0"])("refuses %s", async (wrong) => {
    expect((await call(`fisher x ${wrong}`, analysing)).code).toBe(2);
  });
});

describe("frontier", () => {
  const gap = (value: number) => ({
    difference: { value, n: 20, low: value - 0.02, high: value + 0.02 },
    from: 0,
    to: 1,
  });
  const at = (value: number) => ({ value, n: 100, low: value - 0.05, high: value + 0.05 });
  const cellAt = (label: string, boundary: string | null, natural: number, attack: number) => ({
    label,
    boundary,
    trainableParameters: 9,
    naturalAccuracy: at(natural),
    attackAccuracy: at(attack),
  });
  const record: FrontierRecord = {
    schemaVersion: 1,
    study: "quick",
    model: "resnet10",
    tlDmi: { probeEpochs: 0, frozenNorms: "eval" },
    frontiers: [
      {
        attack: "gmi",
        seed: 1,
        undefended: cellAt("none", null, 0.9, 0.6),
        nothing: { naturalAccuracy: at(0.1), attackAccuracy: at(0.02) },
        sweep: [
          { ...cellAt("tl-dmi stem", "stem", 0.9, 0.5), leaksMore: gap(-0.05) },
          { ...cellAt("tl-dmi layer1.0", "layer1.0", 0.8, 0.2), leaksMore: gap(-0.12) },
        ],
        others: [{ ...cellAt("mid", null, 0.7, 0.4), leaksMore: null }],
        best: "layer1.0",
        auto: "stem",
        autoLeaksMore: gap(0.07),
      },
    ],
    failed: [],
  };
  const sweeping = (found: FrontierRecord): Modules => ({
    ...ended,
    frontier: async () => ({
      frontierOfStudy: async ({ studyFile, runsDir }) => ({
        record: found,
        studyDir: join(runsDir, studyFile),
        file: "frontier.json",
      }),
    }),
    report: async () => ({
      writeReport: nowhere,
      writeFisherChart: nowhere,
      writeFrontierChart: async (dir) => join(dir, "frontier.svg"),
    }),
  });

  test("shows every boundary, what marks it, and what the choice of Fisher information is worth", async () => {
    const { code, out } = await call("frontier q.yaml --runs r", sweeping(record));
    expect(code).toBe(0);
    const lines = out.replaceAll("\u00a0", " ").replaceAll(/ {2,}/g, "  ").split("\n");
    expect(lines).toEqual([
      "gmi, seed 1",
      "defense  natural %  top-1 %  leaks more, points",
      "none  90.0 [85.0, 95.0]  60.0 [55.0, 65.0]",
      "tl-dmi stem  90.0 [85.0, 95.0]  50.0 [45.0, 55.0]  −5.0 [−7.0, −3.0]  auto",
      "tl-dmi layer1.0  80.0 [75.0, 85.0]  20.0 [15.0, 25.0]  −12.0 [−14.0, −10.0]  best",
      "mid  70.0 [65.0, 75.0]  40.0 [35.0, 45.0]  –",
      "freeze: auto chooses stem; at equal natural accuracy it leaks 7.0 [5.0, 9.0] points more than the best, layer1.0",
      "",
      "numbers: frontier.json",
      `chart: ${join("r/q.yaml", "frontier.svg")}`,
      "",
    ]);
  });

  test("says where the choice is the best one, is none, or cannot be compared, and which cells failed", async () => {
    const [first] = record.frontiers;
    const said = async (change: object) => (await call("frontier q", sweeping({ ...record, ...change }))).out;
    expect(await said({ frontiers: [{ ...first, auto: "layer1.0" }] })).toContain("layer1.0, the best of the sweep");
    expect(await said({ frontiers: [{ ...first, auto: null }] })).toContain("freeze: auto chooses no boundary");
    expect(await said({ frontiers: [{ ...first, autoLeaksMore: null }] })).toContain("no range to compare it over");
    const partial = await call("frontier q --json", sweeping({ ...record, failed: [failed] }));
    expect(partial.code).toBe(4);
    expect(JSON.parse(partial.out)).toMatchObject({ failed: [failed], file: "frontier.json" });
    expect(await said({ failed: [failed] })).toContain("failed: none, gmi, seed 1: loss is NaN");
  });
});
