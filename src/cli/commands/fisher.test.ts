import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { call, ended, nowhere } from "../../../test/support/cli-call.ts";
import type { FisherRecord } from "../../study/fisher.ts";
import type { Modules } from "../modules.ts";

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
