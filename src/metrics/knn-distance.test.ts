import { expect, test } from "vitest";
import { featureEvidence } from "../../test/support/evidence.ts";
import { knnDistance, knnDistanceL2 } from "./knn-distance.ts";

const byHand = featureEvidence(
  [
    [0, [3, 4]],
    [0, [0, 1]],
    [2, [0, 2]],
  ],
  [
    [0, [0, 0]],
    [2, [0, 4]],
    [0, [9, 9]],
    [1, [3, 4]],
  ],
);

test("takes the nearest reference of the attacked class, squared and not", () => {
  // Class 0 has squared distances 25 (another class lies at 0, a reference of its own at 61) and 1, class 2 has 4.
  expect(knnDistance.measure(byHand)).toMatchObject({ value: 10, n: 3 });
  expect([...knnDistance.perIdentity(byHand)]).toEqual([13, Number.NaN, 4]);
  // The root comes before the mean: (5 + 1 + 2) / 3, not √10.
  expect(knnDistanceL2.measure(byHand).value).toBeCloseTo(8 / 3, 12);
  expect([...knnDistanceL2.perIdentity(byHand)]).toEqual([3, Number.NaN, 2]);
});

test("its interval comes from the identities: of two, it spans both means", () => {
  expect(knnDistance.measure(byHand)).toMatchObject({ low: 4, high: 13 });
});

test("is zero for features that equal a reference's", () => {
  const same = featureEvidence(
    [[1, [0.1, -7]]],
    [
      [1, [5, 5]],
      [1, [0.1, -7]],
    ],
  );
  expect(knnDistance.measure(same)).toEqual({ value: 0, n: 1, low: 0, high: 0 });
  expect(knnDistanceL2.measure(same).value).toBe(0);
});

test("an attacked class without references, misfitting arrays and NaN features are refused", () => {
  expect(() => knnDistance.measure(featureEvidence([[1, [0, 0]]], [[0, [0, 0]]]))).toThrow(
    "class 1 (person 1) has reconstructions but no reference",
  );
  expect(() => knnDistance.measure(featureEvidence([[1, [0]]], [[1, [0, 0]]]))).toThrow(
    "reconstructions: expected 1 × 2 features, got 1",
  );
  expect(() => knnDistance.measure(featureEvidence([[1, [0, 0]]], [[1, [0, 0, 0]]]))).toThrow(
    "references: expected 1 × 2 features, got 3",
  );
  expect(() => knnDistance.measure(featureEvidence([[1, [Number.NaN, 0]]], [[1, [0, 0]]]))).toThrow(
    "reconstruction 0 of class 1: its distance to the references is NaN",
  );
  expect(() =>
    knnDistance.measure(
      featureEvidence(
        [[1, [0, 0]]],
        [
          [1, [Number.NaN, 0]],
          [1, [1, 1]],
        ],
      ),
    ),
  ).toThrow("is NaN");
});
