import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { call, ended, failed, nowhere } from "../../../test/support/cli-call.ts";
import type { FrontierRecord } from "../../study/frontier.ts";
import type { Modules } from "../modules.ts";

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
