import { expect, test } from "vitest";
import { evidenceOf } from "../../test/support/evidence.ts";
import { attackAccuracy, attackAccuracyTop5 } from "./attack-accuracy.ts";
import { knowledgeExtraction } from "./knowledge-extraction.ts";
import { naturalAccuracy } from "./natural-accuracy.ts";

test("natural accuracy counts the target's right answers, over all and per class", () => {
  const e = evidenceOf(3, {
    natural: { labels: Int32Array.of(0, 0, 1, 1), logits: Float32Array.of(2, 1, 0, 0, 2, 1, 0, 2, 1, 1, 3, 2) },
  });
  const { value, n, low, high } = naturalAccuracy.measure(e);
  expect([value, n]).toEqual([0.75, 4]);
  // Wilson for 3 of 4 by hand: centre (0.75 + z²/8) / (1 + z²/4), half-width z √(0.75·0.25/4 + z²/64) / (1 + z²/4), z² = 3.8415.
  expect(low).toBeCloseTo(0.3006, 4);
  expect(high).toBeCloseTo(0.9544, 4);
  expect([...naturalAccuracy.perIdentity(e)]).toEqual([0.5, 1, Number.NaN]);
});

test("attack accuracy judges reconstructions by the attacked class, among the first one and the first five", () => {
  const e = evidenceOf(7, {
    reconstructions: {
      // Class 6 is first, fifth and last; class 0 is sixth.
      labels: Int32Array.of(6, 6, 6, 0),
      logits: Float32Array.from(
        [
          [0, 1, 2, 3, 4, 5, 6],
          [0, 1, 3, 4, 5, 6, 2],
          [1, 2, 3, 4, 5, 6, 0],
          [1, 0, 2, 3, 4, 5, 6],
        ].flat(),
      ),
      features: new Float32Array(4),
    },
  });
  expect(attackAccuracy.measure(e).value).toBe(0.25);
  expect(attackAccuracyTop5.measure(e).value).toBe(0.5);
  const none = Number.NaN;
  expect([...attackAccuracy.perIdentity(e)]).toEqual([0, none, none, none, none, none, 1 / 3]);
  expect([...attackAccuracyTop5.perIdentity(e)]).toEqual([0, none, none, none, none, none, 2 / 3]);
});

test("up to five classes the first five are all of them", () => {
  const reconstructions = {
    labels: Int32Array.of(0, 1),
    logits: Float32Array.of(0, 9, 9, 0),
    features: new Float32Array(2),
  };
  expect(attackAccuracy.measure(evidenceOf(2, { reconstructions })).value).toBe(0);
  expect(attackAccuracyTop5.measure(evidenceOf(2, { reconstructions })).value).toBe(1);
});

test("nothing to judge is an error, not a rate", () => {
  expect(() => naturalAccuracy.measure(evidenceOf(3, {}))).toThrow("expected at least one trial, got 0");
});

test("knowledge extraction judges the student on private test images, where there is one", () => {
  const student = { labels: Int32Array.of(0, 1, 1, 2), logits: Float32Array.of(2, 1, 0, 0, 2, 1, 3, 2, 1, 0, 0, 1) };
  expect(knowledgeExtraction.measure(evidenceOf(3, { student }))).toMatchObject({ value: 0.75, n: 4 });
  expect([...knowledgeExtraction.perIdentity(evidenceOf(3, { student }))]).toEqual([1, 0.5, 1]);
  expect(knowledgeExtraction.measure(evidenceOf(3))).toBeUndefined();
});
