import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { call, cell, failed, study, withRun } from "../../../test/support/cli-call.ts";
import { UserError } from "../../engine/errors.ts";

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
