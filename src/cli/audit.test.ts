import { EventEmitter } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cell, rate, study } from "../../test/support/study-result.ts";
import type { AuditFacts, AuditOptions, DefendFacts, DefendOptions } from "../study/audit/index.ts";
import type { StudyResult } from "../study/result.ts";
import { type Modules, modules } from "./modules.ts";
import { runCli } from "./program.ts";

const known = { value: 0.95, n: 100, low: 0.89, high: 0.98 };
const facts: AuditFacts = {
  model: "m.onnx",
  side: 64,
  modelSide: 224,
  classes: { count: 50, by: "order", statement: "The model does not name its classes." },
  target: { naturalAccuracy: known },
  evaluationModel: { kind: "vgg16_bn", naturalAccuracy: known },
  access: "white-box",
  attacks: ["kedmi"],
  tooDear: [{ attack: "ppa", seconds: 7200 }],
  leftOut: [],
  budget: 1800,
};
const dir = () => mkdtempSync(join(tmpdir(), "tldmi-"));

/** Modules whose audits and defenses are these; words and records are the real ones. */
function withAudit(
  audited: (options: AuditOptions) => { facts: AuditFacts; result: StudyResult },
  defended?: (options: DefendOptions) => DefendFacts,
): Modules {
  return {
    ...modules,
    audit: async () => ({
      runAudit: async (options) => ({ ...audited(options), studyDir: dir() }),
      runDefend: async (options) => defended!(options),
      plainName: (await modules.audit()).plainName,
    }),
    report: async () => ({ ...(await modules.report()), writeReport: async (folder) => join(folder, "report.html") }),
  };
}

/** Numbers and units are kept together by a blank that does not break. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

async function call(args: readonly string[], using: Modules = modules) {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (to: string[]) => ({ write: (text: string) => to.push(text) });
  const io = { stdout: stream(out), stderr: stream(err), env: {}, signals: new EventEmitter(), exitNow: () => {} };
  return { code: await runCli(args, io, using), out: plain(out.join("")), err: err.join("") };
}

const SETS = ["--private", "own", "--public", "others"];

test("audit passes on what it was told, and answers with a table, sentences and its grounds", async () => {
  const seen: AuditOptions[] = [];
  const using = withAudit((options) => {
    seen.push(options);
    return { facts, result: study([cell()]) };
  });
  const settings = join(dir(), "settings.yaml");
  writeFileSync(settings, "priors: [dcgan]\n");
  const reading = "--range 0,255 --mean 0.5 --std 0.2,0.2,0.2 --layout nhwc --channels bgr --labels ada,bea --size 32";
  const judge = ["--evaluation", "{ kind: resnet18, width: 16 }", "--settings", settings];
  const attacker = "--access scores --attacks mirror-ga,brep-mi --budget 2h --runs r --threads 3".split(" ");
  const told = ["audit", "--model", "a/m.onnx", ...SETS, ...reading.split(" "), ...judge, ...attacker];
  const { code, out } = await call(told, using);
  expect(code).toBe(0);
  expect(seen[0]).toMatchObject({
    model: {
      file: "a/m.onnx",
      range: [0, 255],
      mean: [0.5],
      std: [0.2, 0.2, 0.2],
      layout: "nhwc",
      channels: "bgr",
      labels: ["ada", "bea"],
    },
    private: "own",
    public: "others",
    size: 32,
    evaluation: { kind: "resnet18", width: 16 },
    settings: { priors: ["dcgan"] },
    access: "scores",
    attacks: ["mirror-ga", "brep-mi"],
    budget: 7200,
    out: join("r", "audit-m"),
    runsDir: "r",
    threads: 3,
  });
  expect(out).toMatch(/^defense {2,}attack/);
  expect(out).toContain("m.onnx gives away people of its private images.");
  expect(out).toContain("- The model is right about 95.0 % [89.0, 98.0] of 100 private images");
  expect(out).toContain(
    "- Not tried within 30 min 00 s; the whole would take on this machine with ppa about 2 h 00 min.",
  );
  expect(out).toContain("resized to the 224×224 that the model takes");
  expect(out).toMatch(/report: .+report\.html\n$/);
});

test("audit prints and writes one record", async () => {
  const using = withAudit(() => ({ facts, result: study([cell()]) }));
  const { out } = await call(["audit", "--json", "--model", "m.pth", ...SETS], using);
  const printed = JSON.parse(out) as { study: string };
  const written = JSON.parse(plain(readFileSync(join(printed.study, "result.json"), "utf8"))) as object;
  expect(printed).toMatchObject({ ...written, report: join(printed.study, "report.html") });
  expect(written).toMatchObject({ schemaVersion: 1, model: "m.onnx", verdict: { finding: "leaks" }, cells: [{}] });
});

test("two files that are both called model.onnx are audited in folders of their own, each the same one again", async () => {
  const outs: string[] = [];
  const using = withAudit(({ out }) => {
    outs.push(out);
    return { facts, result: study([cell()]) };
  });
  for (const file of ["a/model.onnx", "b/model.onnx", "a/model.onnx"])
    await call(["audit", "--runs", "r", "--model", file, ...SETS], using);
  expect(outs).toEqual([join("r", "audit-a"), join("r", "audit-b"), join("r", "audit-a")]);
});

test("a file that is not there and an attack that there is none of are told before anything is written", async () => {
  const root = dir();
  for (const person of ["ada", "bea"]) {
    mkdirSync(join(root, person));
    writeFileSync(join(root, person, "1.png"), "");
  }
  const runs = join(root, "runs");
  const told = ["audit", "--runs", runs, "--private", root, "--public", root, "--model"];
  expect(await call([...told, "nothere.onnx"])).toMatchObject({
    code: 2,
    err: "error: nothere.onnx: no such file; expected an ONNX model\n",
  });
  expect(await call([...told, "nothere.onnx", "--attacks", "gmii"])).toMatchObject({
    code: 2,
    err: 'error: --attacks: unknown attack "gmii"; did you mean "gmi"?\n',
  });
  expect(existsSync(runs)).toBe(false);
});

test("an attack that finds nothing is no sign of safety; a failed one leaves with 4", async () => {
  const floor = { value: 0.7, n: 250, low: 0.6, high: 0.8 };
  const weak = cell({ floors: { randomPrior: floor, initialSelection: floor } });
  const failed = [{ defense: "none", attack: "gmi", seed: 1, message: "loss is NaN" }];
  const using = withAudit(() => ({ facts, result: { ...study([weak]), failed } }));
  const { code, out } = await call(["audit", "--model", "m.onnx", ...SETS], using);
  expect(code).toBe(4);
  expect(out).toMatch(/No conclusion about m\.onnx: kedmi is not shown to find more .+ That is no sign of safety/);
  expect(out).toContain("- gmi failed: loss is NaN");
});

test("random images that the model takes for a person tell too, where no attack gets further", async () => {
  const floors = { randomPrior: rate(0.04, 0.02), initialSelection: rate(0.24) };
  const using = withAudit(() => ({ facts, result: study([cell({ attackAccuracy: rate(0.26), floors })]) }));
  const { out } = await call(["audit", "--model", "m.onnx", ...SETS], using);
  expect(out).toContain("m.onnx gives away people of its private images.");
  expect(out).toMatch(
    /No attack rises above choosing .+ 24 % \[19, 29\] are recognised as that person, of random ones 4 %/,
  );
});

test("a gate that fails leaves with 3, whatever else failed", async () => {
  const check = { defense: "none", attack: "gmi", seed: 1, demand: "attack.top1 ≤ 0.3", message: "attack.top1 is 0.7" };
  const gate = { passed: false, checks: [{ ...check, outcome: "broken" as const, passed: false }] };
  const failed = [{ defense: "none", attack: "gmi", seed: 1, message: "loss is NaN" }];
  const result = { ...study([cell()]), gate, failed };
  const found: DefendFacts = { ...defended(dir()), audit: { result, tooDear: [], leftOut: [] } };
  const using = withAudit(
    () => ({ facts, result }),
    () => found,
  );
  for (const command of [["audit"], ["defend", "--audit"]]) {
    const { code, out } = await call([...command, "--model", "m.onnx", ...SETS], using);
    expect([command, code]).toEqual([command, 3]);
    expect(out).toContain("gate failed: 1 of 1 checks");
  }
  const settings = join(dir(), "settings.yaml");
  writeFileSync(settings, "gate: { max: { attack.top1: 0.3 } }\n");
  expect(await call(["defend", "--settings", settings, "--model", "m.onnx", ...SETS], using)).toMatchObject({
    code: 2,
    err: "error: --settings: a gate judges what attacks find: add --audit, or leave gate out\n",
  });
});

/** What is known of a model that was defended into a folder. */
const defended = (out: string): DefendFacts => ({
  model: "m.pth",
  architecture: "resnet18",
  input: [3, 64, 64],
  images: { train: 800, validation: 100, test: 100, public: 4000 },
  classes: ["ada", "bea"],
  newHead: true,
  epochs: 20,
  boundary: {
    stage: "layer3.1",
    trainableParameters: 75,
    frozenParameters: 25,
    fisher: { classification: 0.1, inversion: 0.6 },
  },
  naturalAccuracy: known,
  onnx: join(out, "model.onnx"),
  studyFile: join(out, "study.yaml"),
});

test("defend writes a card beside the model, and says that nothing was measured where that is so", async () => {
  const seen: DefendOptions[] = [];
  const out = dir();
  const using = withAudit(
    () => ({ facts, result: study([]) }),
    (options) => {
      seen.push(options);
      return defended(out);
    },
  );
  const told = ["defend", "--model", "m.pth", "--architecture", "resnet18", ...SETS, "--out", out];
  const { code, out: said } = await call(told, using);
  expect(code).toBe(0);
  expect(seen[0]).toMatchObject({ model: { file: "m.pth", architecture: { kind: "resnet18" } }, freeze: "auto", out });
  expect(seen[0]).not.toHaveProperty("audit");
  expect(said).toContain("its leak was not measured: --audit does that");
  expect(said).toContain("frozen up to layer3.1: 75 % of the parameters saw private images");
  const card = plain(readFileSync(join(out, "MODEL_CARD.md"), "utf8"));
  expect(card).toMatch(/^---\nlibrary_name: onnx\n.+\n.+\n---\n\n# m\.pth, defended with TL-DMI\n/);
  expect(card).toContain("Private images: 800 to train, 100 to choose the epoch, 100 to measure natural accuracy.");
  expect(card).toContain("what is frozen holds 60 % of that of inversion and 10 % of that of classification");
  expect(card).toContain("Natural accuracy: 95.0 % [89.0, 98.0] of 100 private test images");
  await call([...told, "--audit", "--attacks", "gmi"], using);
  expect(seen[1]).toMatchObject({ audit: { access: "white-box", attacks: ["gmi"] } });
});

test.each([
  [[], "required option '--model <file>' not specified"],
  [["--model", "m.onnx", ...SETS, "--budget", "soon"], "expected a time such as 30m, 2h or 90s"],
  [["--model", "m.onnx", ...SETS, "--mean", "a,b"], "expected numbers separated by commas"],
  [["--model", "m.onnx", ...SETS, "--labels", "@nowhere.txt"], "nowhere.txt cannot be read"],
  [["--model", "m.onnx", ...SETS, "--architecture", "[1]"], "expected a kind such as resnet18"],
  [["--model", "m.onnx", ...SETS, "--settings", "nowhere.yaml"], "--settings: nowhere.yaml cannot be read"],
  [["--model", "m.onnx", ...SETS, "--access", "none"], "Allowed choices are white-box, scores, labels"],
])("a mistake is one message: %j", async (args, message) => {
  expect(await call(["audit", ...args])).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
});
