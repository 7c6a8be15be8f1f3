import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectPublished } from "../../../test/support/published-results.ts";
import { cell, rate, study } from "../../../test/support/study-result.ts";
import type { GateCheck, GateResult } from "../../study/gate.ts";
import { gateAnnotations, gateJunit, gateMarkdown, gateOfRun } from "./index.ts";

const check = (overrides: Partial<GateCheck>): GateCheck => ({
  defense: "tl-dmi",
  attack: "gmi",
  seed: 1,
  run: "cells/tl-dmi-gmi-seed1",
  demand: "attack.top1 ≤ 0.3",
  outcome: "holds",
  passed: true,
  message: "attack.top1 is 0.2 [0.1, 0.3]",
  ...overrides,
});
const odd = 'a < b & "c", 100 %:\n|x|\u0001';
const failing: GateResult = {
  passed: false,
  checks: [
    check({}),
    check({ outcome: "broken", passed: false, message: odd }),
    check({ outcome: "weak attack", passed: true, demand: "the attack beats its floors" }),
    { ...check({ defense: "none", outcome: "not measured", passed: false }), run: "cells/none-gmi-seed1" },
  ],
};
const passing: GateResult = { passed: true, checks: [check({})] };

test("JUnit: a suite a cell, a case a demand, with right counts and nothing that XML forbids", () => {
  const xml = gateJunit("my study", failing);
  expect(xml).toMatch(
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="my study" tests="4" failures="2" errors="0">/,
  );
  expect(xml).toContain('<testsuite name="tl-dmi-gmi-seed1" tests="3" failures="1" errors="0" skipped="0">');
  expect(xml).toContain('<testcase classname="my study.none-gmi-seed1" name="attack.top1 ≤ 0.3">');
  expect(xml).toContain('<failure type="broken" message="a &lt; b &amp; &quot;c&quot;, 100 %:&#10;|x|\u{FFFD}"/>');
  expect(xml).not.toContain("\u0001");
  // Every tag that opens closes, in order.
  const open: string[] = [];
  for (const [, end, name, self] of xml.matchAll(/<(\/?)([a-z-]+)[^>]*?(\/?)>/g)) {
    if (self) continue;
    if (end) expect(open.pop()).toBe(name);
    else open.push(name!);
  }
  expect(open).toEqual([]);
});

test("Markdown: a row a check, in which text cannot break the table", () => {
  const lines = gateMarkdown("my study", failing).split("\n");
  expect(lines[0]).toBe("### Gate of my study failed: 2 of 4 checks");
  const rows = lines.filter((line) => /^\| [✓✗]/.test(line));
  expect(rows).toHaveLength(4);
  for (const row of rows) expect(row.split("|")).toHaveLength(7);
  expect(rows[1]).toContain("a &#60; b &#38; ");
  expect(gateMarkdown("s", passing)).toContain("Gate of s passed: 1 of 1 checks");
});

test("annotations: errors for failures, a warning for an accepted weak attack, escaped as GitHub reads them", () => {
  const lines = gateAnnotations("my study", failing).trimEnd().split("\n");
  expect(lines).toEqual([
    '::error title=tl-dmi-gmi-seed1%3A attack.top1 ≤ 0.3::broken: a < b & "c", 100 %25:%0A|x|\u0001',
    "::warning title=tl-dmi-gmi-seed1%3A the attack beats its floors::weak attack: attack.top1 is 0.2 [0.1, 0.3]",
    "::error title=none-gmi-seed1%3A attack.top1 ≤ 0.3::not measured: attack.top1 is 0.2 [0.1, 0.3]",
  ]);
  expect(gateAnnotations("my study", passing)).toBe("::notice title=Gate of my study::passed: 1 of 1 checks\n");
});

describe("of a run on disk", () => {
  let root = "";
  const weak = cell({ defense: "tl-dmi", attackAccuracy: rate(0.2), run: "cells/a" });
  const config = "gate: { max: { attack.top1: 0.3 }, min: {}, defenses: [tl-dmi], allowWeakAttack: false }\n";
  const record = { schemaVersion: 1, status: "COMPLETED", started: "", heartbeat: "", attempts: 1, machine: {} };
  const versions = { package: "", node: "", onnxruntime: "" };
  const write = (path: string, value: unknown) => writeFile(join(root, path), JSON.stringify(value));
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "gate-"));
    await mkdir(join(root, "cells/a"), { recursive: true });
    await write("study.json", study([cell({ run: "cells/none" }), weak], { config }));
    await write("run.json", { ...record, versions, kind: "study", name: "made-up" });
    await write("cells/a/run.json", { ...record, versions, kind: "cell", name: "a", study: "../.." });
    await expectPublished(weak, "cells/a");
    await write("cells/a/result.json", weak);
    await writeFile(join(root, "cells/a/config.yaml"), config);
  });
  afterAll(() => rm(root, { recursive: true }));

  test("is by the study's own gate where no bound is given", async () => {
    const { name, gate } = await gateOfRun(root, {});
    expect(name).toBe("made-up study");
    expect(gate.checks.map(({ defense, outcome }) => `${defense} ${outcome}`)).toEqual([
      "tl-dmi holds",
      "tl-dmi holds",
    ]);
  });

  test("is by the bounds that are given, which replace the study's", async () => {
    const { gate } = await gateOfRun(root, { min: { natural: 0.99 }, defenses: ["none"] });
    expect(gate.checks).toMatchObject([{ defense: "none", demand: "natural ≥ 0.99", outcome: "broken" }]);
  });

  test("asks for the attack again where the study's gate did not and bounds are given", async () => {
    const lax = config.replace("allowWeakAttack: false", "allowWeakAttack: true");
    const dir = await mkdtemp(join(root, "lax-"));
    const stopped = { ...weak, attackAccuracy: weak.floors.randomPrior };
    await writeFile(join(dir, "study.json"), JSON.stringify(study([stopped], { config: lax })));
    expect((await gateOfRun(dir, {})).gate.passed).toBe(true);
    expect((await gateOfRun(dir, { max: { "attack.top1": 0.3 } })).gate.passed).toBe(false);
  });

  test("may be of one cell, whose attack is looked for in the study", async () => {
    expect((await gateOfRun(join(root, "cells/a"), {})).gate).toMatchObject({ passed: true, checks: [{}, {}] });
    await write("cells/a/run.json", { ...record, versions, kind: "cell", name: "a", study: "../nowhere" });
    expect((await gateOfRun(join(root, "cells/a"), {})).gate.checks[1]).toMatchObject({ outcome: "weak attack" });
  });

  test.each([
    [{ max: { "atack.top1": 0.3 } }, /unknown metric "atack\.top1"; did you mean/],
    [{ max: {}, min: {} }, /demands nothing/],
  ])("refuses %o", async (request, message) => {
    await expect(gateOfRun(root, request)).rejects.toThrow(message);
  });

  test("refuses a run that is not finished, has no bounds, or is none", async () => {
    const other = await mkdtemp(join(root, "other-"));
    await expect(gateOfRun(other, {})).rejects.toThrow(/no run of a study or a cell in it/);
    await expect(gateOfRun(join(other, "x"), {})).rejects.toThrow(/no such folder/);
    await writeFile(join(other, "study.json"), JSON.stringify(study([cell()])));
    await expect(gateOfRun(other, {})).rejects.toThrow(/no bounds: expected --max NAME=NUMBER/);
    await writeFile(
      join(other, "run.json"),
      JSON.stringify({ ...record, versions, status: "INTERRUPTED", kind: "study", name: "n" }),
    );
    await expect(gateOfRun(other, { min: { natural: 0.5 } })).rejects.toThrow(/the run is INTERRUPTED; finish it/);
  });
});
