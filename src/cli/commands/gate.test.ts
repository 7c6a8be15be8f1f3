import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { call, cell, ended, failed, measured, study, studyFolder, withRun } from "../../../test/support/cli-call.ts";
import type { StudyResult } from "../../study/result.ts";
import type { Modules } from "../modules.ts";

describe("gate", () => {
  const weighed = {
    ...cell,
    floors: { randomPrior: { ...measured, high: 0.1 }, initialSelection: { ...measured, high: 0.2 } },
  };
  const gating: Modules = { ...ended, gate: () => import("../../report/gate/index.ts") };
  const folder = (result: StudyResult = { ...study, cells: [weighed] }) => studyFolder(result);

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
