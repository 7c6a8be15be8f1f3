import { expect, test } from "vitest";
import { byIdentity, means } from "./by-identity.ts";

test("values go to the class of their label, in their order; a class without any stays empty", () => {
  expect(byIdentity([5, 6, 7, 8], Int32Array.of(2, 0, 2, 0), 3)).toEqual([[6, 8], [], [5, 7]]);
});

test("the mean of an empty group is NaN", () => {
  expect([...means([[6, 8], [], [5]])]).toEqual([7, Number.NaN, 5]);
});

test("labels that do not fit are refused", () => {
  expect(() => byIdentity([1], Int32Array.of(3), 3)).toThrow("label 3 of image 0 is not in 0 … 2");
  expect(() => byIdentity([1, 2], Int32Array.of(0), 3)).toThrow("got 1 labels for 2 values");
});
