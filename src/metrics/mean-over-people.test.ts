import { expect, test } from "vitest";
import { meanOverPeople } from "./mean-over-people.ts";
import { studentHalfWidth } from "./student-quantile.ts";

test("is as wide as people or seeds ask for, whichever is more", () => {
  const people = meanOverPeople([
    [0.1, 0.5, 0.9],
    [0.1, 0.5, 0.9],
  ]);
  expect(people).toEqual({ value: 0.5, half: studentHalfWidth([0.1, 0.5, 0.9]) });
  const seeds = meanOverPeople([
    [0.25, 0.25],
    [0.75, 0.75],
  ]);
  expect(seeds).toEqual({ value: 0.5, half: studentHalfWidth([0.25, 0.75]) });
});

test("one seed is decided by its people", () => {
  expect(meanOverPeople([[0, 1]])).toEqual({ value: 0.5, half: studentHalfWidth([0, 1]) });
});
