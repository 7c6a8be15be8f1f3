import { expect, test } from "vitest";
import { evidenceOf } from "../../test/support/evidence.ts";
import { evaluationConfidence } from "./evaluation-confidence.ts";

const confidence = (labels: number[], rows: number[][]) =>
  evidenceOf(rows[0]!.length, {
    reconstructions: {
      labels: Int32Array.from(labels),
      logits: Float32Array.from(rows.flat()),
      features: new Float32Array(labels.length),
    },
  });

test("averages the softmax of the attacked class", async () => {
  // softmax(ln 1, ln 2, ln 5) = 1/8, 2/8, 5/8
  const row = [0, Math.log(2), Math.log(5)];
  const e = confidence([2, 1, 1], [row, row, [0, 0, 0]]);
  expect((await evaluationConfidence.measure(e))?.value).toBeCloseTo((5 / 8 + 2 / 8 + 1 / 3) / 3, 6);
  const [none, one, two] = await evaluationConfidence.perIdentity(e);
  expect(none).toBeNaN();
  expect(one).toBeCloseTo((2 / 8 + 1 / 3) / 2, 6);
  expect(two).toBeCloseTo(5 / 8, 6);
});

test("large logits do not overflow, and what is not a number is refused", async () => {
  expect((await evaluationConfidence.measure(confidence([0], [[1e4, 0]])))?.value).toBe(1);
  await expect(evaluationConfidence.measure(confidence([0], [[Number.NaN, 0]]))).rejects.toThrow(/NaN/);
});

test("without reconstructions there is no measurement; misfitting arrays are refused", async () => {
  expect(await evaluationConfidence.measure(evidenceOf(2))).toBeUndefined();
  const e = confidence([0], [[1, 2]]);
  const broken = { ...e, reconstructions: { ...e.reconstructions, logits: new Float32Array(3) } };
  await expect(evaluationConfidence.measure(broken)).rejects.toThrow("expected 1 × 2 logits, got 3");
});
