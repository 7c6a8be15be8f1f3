import { expect, test } from "vitest";
import type { LabelsAccess } from "./access.ts";
import { selectByLabel } from "./selection.ts";
import type { SearchSpace } from "./space.ts";

/** Rows of one number, rendered as images of that number. */
const space = {
  width: 1,
  byClass: false,
  draw: async (count: number) => Float32Array.from({ length: count }, (_, i) => i),
  render: async (rows: Float32Array) => rows.slice(),
} as unknown as SearchSpace;

test("by labels: the first rows that are taken for the identity, others where they are too few", async () => {
  let asked = 0;
  const target: LabelsAccess = {
    classes: 3,
    image: [1, 1, 1],
    async labels(images) {
      asked += images.length;
      return Int32Array.from(images, (x) => (x === 7 ? 1 : 2 * (x % 2)));
    },
  };
  const { rows, labels } = await selectByLabel({
    ...{ target, space, identities: [0, 1, 2], perIdentity: 2, pool: 10, seed: 1 },
  });
  expect([...rows]).toEqual([0, 2, 7, 0, 1, 3]);
  expect([...labels]).toEqual([0, 0, 1, 1, 2, 2]);
  expect(asked, "one pool for all").toBe(10);
  const few = { target, space, identities: [0], perIdentity: 2, pool: 1, seed: 1 };
  await expect(selectByLabel(few)).rejects.toThrow(/a pool of 1 latents is too small/);
});
