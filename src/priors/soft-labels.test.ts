import { expect, test } from "vitest";
import { softLabels } from "./soft-labels.ts";

test("each image is asked for once, when it first turns up", async () => {
  const asked: number[][] = [];
  const target = {
    // Of images of one pixel: the pixel, and what is missing to one.
    async predict(rows: Float32Array, count: number) {
      asked.push([...rows.subarray(0, count)]);
      return {
        scores: Float32Array.from({ length: 2 * count }, (_, i) =>
          i % 2 === 0 ? rows[i / 2]! : 1 - rows[(i - 1) / 2]!,
        ),
      };
    },
    release: async () => {},
  };
  const labels = softLabels(target, 4, 2);
  const batch = (...indices: number[]) => ({
    images: Float32Array.from(indices, (i) => i / 4),
    indices: Int32Array.from(indices),
  });
  expect([...(await labels.of(batch(3, 1)))]).toEqual([0.75, 0.25, 0.25, 0.75]);
  expect([...(await labels.of(batch(1, 2)))]).toEqual([0.25, 0.75, 0.5, 0.5]);
  expect([...(await labels.of(batch(2, 3)))]).toEqual([0.5, 0.5, 0.75, 0.25]);
  expect(asked).toEqual([[0.75, 0.25], [0.5]]);
});
