import { expect, test } from "vitest";
import { call, ended, study, studyFolder } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

const modules: Modules = { ...ended, decide: () => import("../../report/decide.ts") };

test("prints parts with titles", async () => {
  const { code, out } = await call(`explain ${studyFolder(study)}`, modules);
  expect(code).toBe(0);
  expect(out).toMatch(/^What was attacked\n- .*\n\nHow\n- gmi: .*\n\nWhat came out\n- /s);
  expect(JSON.parse((await call(`explain ${studyFolder(study)} --json`, modules)).out)).toHaveLength(5);
});
