import { expect, test } from "vitest";
import { cellsOf } from "./shard.ts";

test("shards share out all cells, differ by one at most, and do not depend on the cells' order", () => {
  const cells = Array.from({ length: 23 }, (_, i) => ({ evaluation: { id: ((i * 7919) % 1000).toString(16) } }));
  for (const count of [1, 2, 5, 23, 30]) {
    const shards = Array.from({ length: count }, (_, i) => cellsOf(cells, { index: i + 1, count }));
    expect(new Set(shards.flat()).size).toBe(23);
    const sizes = shards.map((shard) => shard.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    expect(cellsOf(cells.toReversed(), { index: 1, count })).toEqual(shards[0]);
  }
});
