import { describe, expect, test } from "vitest";
import { answersTo, made, NONE, verdicts } from "../../../../test/support/made-evidence.ts";
import type { FisherRecord } from "../../../study/fisher.ts";
import type { StudyEvidence } from "../evidence.ts";
import { earlyForInversion, lateForTheTask } from "./fisher-pattern.ts";

describe("Fisher information", () => {
  const layers = (inversion: (i: number) => number, classification: (i: number) => number) =>
    Array.from({ length: 13 }, (_, i) => ({
      layer: `features.${i}`,
      stage: `stage${i}`,
      kernel: true,
      parameters: 10,
      inversion: inversion(i),
      classification: classification(i),
    }));
  const study = (analysed: number): StudyEvidence => {
    const record = {
      layers: layers(
        (i) => 20 - i,
        (i) => 20 - i,
      ),
    } as unknown as FisherRecord;
    const evidence = made([{ ...NONE, by: "gmi" }], { model: "vgg16_bn" });
    return {
      ...evidence,
      cells: evidence.cells.map((one) =>
        one.seed <= analysed ? { ...one, fisher: { record, file: `records/made/${one.name}.fisher.json` } } : one,
      ),
    };
  };

  test("each half of the pattern is judged by itself", () => {
    expect(verdicts(earlyForInversion, study(3))).toEqual(["holds here"]);
    expect(verdicts(lateForTheTask, study(3))).toEqual(["does not hold here"]);
  });
  test("an analysis of each seed is needed", () => {
    expect(answersTo(lateForTheTask, study(2))[0]).toMatchObject({
      verdict: "not measured yet",
      why: "5 of 6 records",
    });
  });
});
