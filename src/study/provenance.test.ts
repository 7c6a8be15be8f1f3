import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { provenance, versions } from "./provenance.ts";

test("the versions are those that are installed", () => {
  expect(versions()).toEqual({
    package: expect.stringMatching(/^\d+\.\d+\.\d+/),
    node: process.versions.node,
    onnxruntime: "1.30.0",
  });
});

test("outside a git checkout there is no commit, and nothing fails", async () => {
  const record = await provenance(3, mkdtempSync(join(tmpdir(), "tldmi-")));
  expect(record).not.toHaveProperty("gitCommit");
  expect(record).toMatchObject({ threads: 3, platform: `${process.platform}-${process.arch}` });
});

test("in a git checkout the commit is named, and dirty once a tracked file differs", async () => {
  const dir = mkdtempSync(join(tmpdir(), "tldmi-"));
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.hooksPath=/dev/null", ...args],
      { cwd: dir, encoding: "utf8" },
    );
  git("init", "--quiet");
  writeFileSync(join(dir, "a.txt"), "one");
  git("add", "a.txt");
  git("commit", "--quiet", "-m", "one");
  expect(await provenance(1, dir)).toMatchObject({ gitCommit: git("rev-parse", "HEAD").trim(), gitDirty: false });
  writeFileSync(join(dir, "a.txt"), "two");
  expect(await provenance(1, dir)).toMatchObject({ gitDirty: true });
});
