import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { call, ended, nowhere, studyFolder } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

describe("report", () => {
  const reporting: Modules = {
    ...ended,
    report: async () => ({
      writeReport: async (dir) => join(dir, "index.html"),
      writeFisherChart: nowhere,
      writeFrontierChart: nowhere,
    }),
  };

  test("of a study's folder is built there", async () => {
    const dir = studyFolder({});
    expect(await call(`report ${dir}`, reporting)).toMatchObject({ code: 0, out: `${join(dir, "index.html")}\n` });
    expect(JSON.parse((await call(`report ${dir} --json`, reporting)).out)).toEqual({
      report: join(dir, "index.html"),
    });
  });

  test("of a folder that is missing or holds no run says so", async () => {
    const dir = mkdtempSync(join(tmpdir(), "tldmi-"));
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
