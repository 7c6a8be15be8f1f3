import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { call, ended, study, studyFolder } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

const modules: Modules = { ...ended, verify: () => import("../../study/verify.ts") };

test("leaves with 3 for what is changed or missing, and for what came later only where that is asked for", async () => {
  const dir = studyFolder(study);
  const sha256 = createHash("sha256").update("x").digest("hex");
  writeFileSync(join(dir, "a"), "x");
  writeFileSync(
    join(dir, "manifest.json"),
    JSON.stringify({ schemaVersion: 1, files: [{ path: "a", bytes: 1, sha256 }] }),
  );
  const later = "extra    study.json\n1 of 1 files are as they were written\n";
  expect(await call(`verify ${dir}`, modules)).toMatchObject({ code: 0, out: later });
  expect((await call(`verify ${dir} --strict`, modules)).code).toBe(3);
  writeFileSync(join(dir, "a"), "y");
  expect(await call(`verify ${dir}`, modules)).toMatchObject({
    code: 3,
    out: expect.stringMatching(/^changed {2}a\n.*\n0 of 1 files/),
  });
  expect(JSON.parse((await call(`verify ${dir} --json`, modules)).out)).toMatchObject({
    passed: false,
    changed: ["a"],
  });
});
