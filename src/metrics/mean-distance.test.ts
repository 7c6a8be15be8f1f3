import { expect, test } from "vitest";
import { featureEvidence } from "../../test/support/evidence.ts";
import { meanDistance } from "./mean-distance.ts";

test("measures to the mean of the class's private images, squared", async () => {
  const e = featureEvidence(
    [
      [0, [1, 1]],
      [0, [4, 5]],
      [2, [0, 0]],
    ],
    [
      [0, [0, 0]],
      [0, [2, 2]],
      [2, [3, 4]],
      [1, [9, 9]],
    ],
  );
  // The mean of class 0 is (1, 1): 0 and 9 + 16; class 2 has one image at distance 5.
  expect(await meanDistance.measure(e)).toMatchObject({ value: (0 + 25 + 25) / 3, n: 3, low: 12.5, high: 25 });
  expect([...(await meanDistance.perIdentity(e))]).toEqual([12.5, Number.NaN, 25]);
});

test("an attacked class without private images is refused", async () => {
  await expect(meanDistance.measure(featureEvidence([[1, [0, 0]]], [[0, [0, 0]]]))).rejects.toThrow(
    "class 1 (person 1) has reconstructions but no reference",
  );
});
