import { expect, test } from "vitest";
import { wilson } from "../../metrics/interval.ts";
import { canJudge, knowsClasses, likelyOrder } from "./plausible.ts";

test.each([
  [12, 12, 4, true],
  [8, 12, 4, false],
  [40, 500, 1000, true],
  [10, 500, 1000, false],
  [60, 100, 2, false],
  [90, 100, 2, true],
])("%i of %i images right among %i classes: knows them is %s", (right, n, classes, known) => {
  expect(knowsClasses(wilson(right, n), classes)).toBe(known);
});

test("a judge must be right about most images, however many the classes", () => {
  expect(canJudge(wilson(650, 1000), 100)).toBe(false);
  expect(canJudge(wilson(720, 1000), 100)).toBe(true);
  expect(canJudge(wilson(3, 4), 4)).toBe(false);
});

test("a classifier that tells folders apart under other numbers shows their order", () => {
  expect(likelyOrder([2, 2, 0, 0, 1, 2], [0, 0, 1, 1, 2, 2], 3)).toEqual([2, 0, 1]);
});

test.each([
  ["two folders for one class", [0, 0, 0, 0, 1, 1]],
  ["images of a folder for many", [0, 1, 1, 2, 2, 0]],
])("one that takes %s shows none", (_, predicted) => {
  expect(likelyOrder(predicted, [0, 0, 1, 1, 2, 2], 3)).toBe(undefined);
});
