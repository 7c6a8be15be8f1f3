import { expect, test } from "vitest";
import { spread } from "./spread.ts";

test("values far apart stay where they are", () => {
  expect(spread([10, 50, 90], 5, [0, 100])).toEqual([10, 50, 90]);
});

test("values that lie together part evenly around their middle, in their order", () => {
  expect(spread([50, 51, 49], 4, [0, 100])).toEqual([50, 54, 46]);
  expect(spread([50, 50], 4, [0, 100])).toEqual([48, 52]);
});

test("a block at an edge stays within it, and pushes its neighbours", () => {
  expect(spread([0, 1, 6], 5, [0, 100])).toEqual([0, 5, 10]);
  expect(spread([100, 99, 96], 5, [0, 100])).toEqual([100, 95, 90]);
});

test("names are never nearer than the gap", () => {
  const values = Array.from({ length: 19 }, (_, i) => 60 + ((i * 7) % 19));
  const places = spread(values, 4, [0, 100]).toSorted((a, b) => a - b);
  for (const [i, place] of places.entries()) if (i > 0) expect(place - places[i - 1]!).toBeGreaterThan(4 - 1e-9);
  expect(places[0]).toBeGreaterThanOrEqual(0);
  expect(places.at(-1)).toBeLessThanOrEqual(100);
});
